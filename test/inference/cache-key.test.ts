import t from 'tap'
import { cacheKey } from '../../src/inference/cache-key.ts'
import type { InferenceRequest } from '../../src/inference/request.ts'
import { actions } from '../../src/origins/origin.ts'
import { seededRandom, type SeededRandom } from '../support/seeded-random.ts'

interface Keyed {
  generation: string
  variation: string
  request: InferenceRequest
}

/** Texts that are dangerous where texts are joined, quoted or compared. */
const texts = [
  '', 'a', 'b', 'A', 'a,b', 'a","b', '"', '\\', '\\"', '","', '[', ']', '[]', '{}', '{"a":"b"}', '],[', 'null', 'undefined', 'true', '0', '1', '25',
  '/', 'a/b', '|', ':', '\n', '\0', ' ', 'a ', 'é', 'e\u0301', '\u{1f600}', '\ud83d', '\\ud83d', '\u2028', '__proto__', 'constructor', 'toString'
] as const

const namesOf = (count: number): string[] => texts.slice(1, count + 1)

function randomMap (random: SeededRandom): Record<string, string> | undefined {
  if (random.next() < 0.2) return undefined
  const keys = new Set(Array.from({ length: random.integer(0, 4) }, () => random.pick(texts.slice(1))))
  return Object.fromEntries([...keys].map(key => [key, random.pick(texts)]))
}

function randomKeyed (random: SeededRandom): Keyed {
  const maybe = <T>(make: () => T): T | undefined => random.next() < 0.3 ? undefined : make()
  const text = (): string => random.pick(texts)
  return {
    generation: text(),
    variation: text(),
    request: {
      action: random.pick(actions),
      namespace: text(),
      recommender: text(),
      userId: maybe(text),
      itemId: maybe(text),
      itemIds: maybe(() => Array.from({ length: random.integer(0, 3) }, text)),
      numResults: random.integer(1, 3),
      filter: maybe(text),
      filterValues: randomMap(random),
      context: randomMap(random),
      decorateItems: random.next() < 0.5,
      syntheticUser: random.next() < 0.5,
      feature: maybe(text)
    }
  }
}

const keyOf = ({ generation, variation, request }: Keyed): string => cacheKey(generation, variation, request, undefined, [request])

/** The same keys and values, in another order; nothing for something empty, and the other way round. */
function sameMap<V> (random: SeededRandom, map: Readonly<Record<string, V>> | undefined): Readonly<Record<string, V>> | undefined {
  const entries = Object.entries(map ?? {})
  if (entries.length === 0) return random.pick([undefined, {}])
  return Object.fromEntries(entries.map(entry => ({ entry, at: random.next() })).sort((a, b) => a.at - b.at).map(({ entry }) => entry))
}

/** Another request that asks for the same. */
function sameMeaning (random: SeededRandom, { request, ...more }: Keyed): Keyed {
  const entries = Object.entries({ ...request, filterValues: sameMap(random, request.filterValues), context: sameMap(random, request.context) })
  const shuffled = entries.map(entry => ({ entry, at: random.next() })).sort((a, b) => a.at - b.at).map(({ entry }) => entry)
  const stated = shuffled.filter(([, value]) => value !== undefined || random.next() < 0.5)
  return { ...more, request: { ...Object.fromEntries(stated) as unknown as InferenceRequest, syntheticUser: random.next() < 0.5 } }
}

/** What a request asks for, written down in another way than a key is: a sorted list of paths and values. */
function meaningOf ({ generation, variation, request }: Keyed): string {
  const facts: Array<[path: string[], value: string | number | boolean]> = [[['generation'], generation], [['variation'], variation]]
  for (const name of ['action', 'namespace', 'recommender', 'userId', 'itemId', 'numResults', 'filter', 'decorateItems'] as const) {
    const value = request[name]
    if (value !== undefined) facts.push([[name], value])
  }
  if (request.itemIds !== undefined) facts.push([['itemIds', 'count'], request.itemIds.length])
  request.itemIds?.forEach((itemId, i) => facts.push([['itemIds', String(i)], itemId]))
  for (const name of ['filterValues', 'context'] as const) {
    for (const [key, value] of Object.entries(request[name] ?? {})) facts.push([[name, key], String(value)])
  }
  return facts.map(fact => JSON.stringify(fact)).sort().join('\n')
}

const changes: Record<string, (keyed: Keyed, text: string) => Keyed> = {
  generation: (keyed, text) => ({ ...keyed, generation: text }),
  variation: (keyed, text) => ({ ...keyed, variation: text }),
  ...Object.fromEntries((['namespace', 'recommender', 'userId', 'itemId', 'filter'] as const).map(name =>
    [name, ({ request, ...more }: Keyed, text: string) => ({ ...more, request: { ...request, [name]: text } })])),
  action: ({ request, ...more }) => ({ ...more, request: { ...request, action: actions[(actions.indexOf(request.action) + 1) % actions.length]! } }),
  numResults: ({ request, ...more }) => ({ ...more, request: { ...request, numResults: request.numResults + 1 } }),
  decorateItems: ({ request, ...more }) => ({ ...more, request: { ...request, decorateItems: !request.decorateItems } }),
  'itemIds, one more': ({ request, ...more }, text) => ({ ...more, request: { ...request, itemIds: [...request.itemIds ?? [], text] } }),
  'itemIds, in another order': ({ request, ...more }, text) => ({ ...more, request: { ...request, itemIds: [...request.itemIds ?? [], text].reverse() } }),
  'filterValues, one more': ({ request, ...more }, text) => ({ ...more, request: { ...request, filterValues: { ...request.filterValues, more: text } } }),
  'context, one more': ({ request, ...more }, text) => ({ ...more, request: { ...request, context: { ...request.context, more: text } } }),
  'the one map in place of the other': ({ request, ...more }) => ({ ...more, request: { ...request, context: request.filterValues, filterValues: request.context as InferenceRequest['filterValues'] } })
}

t.test('requests that mean the same have the same key', async t => {
  const random = seededRandom(1)
  const wrong: Keyed[] = []
  for (let i = 0; i < 3_000; i++) {
    const keyed = randomKeyed(random)
    const same = sameMeaning(random, keyed)
    if (keyOf(same) !== keyOf(keyed)) wrong.push(keyed, same)
  }
  t.strictSame(wrong, [])
})

t.test('requests that differ in anything that matters have different keys', async t => {
  const random = seededRandom(2)
  for (const [name, change] of Object.entries(changes)) {
    const wrong: Keyed[] = []
    let changed = 0
    for (let i = 0; i < 300; i++) {
      const keyed = randomKeyed(random)
      const other = change(keyed, random.pick(texts))
      if (meaningOf(other) === meaningOf(keyed)) continue
      changed++
      if (keyOf(other) === keyOf(keyed)) wrong.push(keyed, other)
    }
    t.ok(changed > 50, `${name}: ${changed} differ`)
    t.strictSame(wrong, [], name)
  }
})

t.test('of a great many requests, those have the same key that mean the same, and no others', async t => {
  const random = seededRandom(3)
  const meanings = new Map<string, string>()
  const keys = new Map<string, string>()
  for (let i = 0; i < 10_000; i++) {
    const keyed = randomKeyed(random)
    const [key, meaning] = [keyOf(keyed), meaningOf(keyed)]
    if ((meanings.get(key) ?? meaning) !== meaning) t.fail('two meanings have one key', { found: [meanings.get(key), meaning] })
    if ((keys.get(meaning) ?? key) !== key) t.fail('one meaning has two keys', { found: [keys.get(meaning), key] })
    meanings.set(key, meaning)
    keys.set(meaning, key)
  }
  t.ok(meanings.size > 5_000)
})

t.test('texts that could be taken for one another are not', async t => {
  const request: InferenceRequest = { action: 'rerank-items', namespace: 'n', recommender: 'r', numResults: 1, decorateItems: true, syntheticUser: false, feature: undefined }
  const differing: Array<Partial<InferenceRequest>> = [
    { itemIds: ['a', 'b'] }, { itemIds: ['a,b'] }, { itemIds: ['a","b'] }, { itemIds: ['["a","b"]'] }, { itemIds: [] }, { itemIds: [''] },
    { userId: 'x', itemId: 'y' }, { userId: 'x","y' }, { userId: 'y', itemId: 'x' }, { userId: 'x' }, { itemId: 'x' }, { filter: 'x' }, { filter: 'null' },
    { context: { a: 'b', c: 'd' } }, { context: { a: 'b","c":"d' } }, { context: { a: 'd', c: 'b' } }, { filterValues: { a: 'b', c: 'd' } }, { context: { 'a","b': '' } },
    { context: { 1: 'x', 2: 'y' } }, { context: { 1: 'y', 2: 'x' } }, { userId: 'é' }, { userId: 'e\u0301' }, { userId: '\ud83d' }, { userId: '\\ud83d' }, {},
    { context: JSON.parse('{"__proto__":"a"}') as Record<string, string> }, { context: { constructor: 'a' } }
  ]
  const keys = differing.map(more => cacheKey('g', 'v', { ...request, ...more }, undefined, [{ ...request, ...more }]))
  t.equal(new Set(keys).size, differing.length)
})

t.test('every order of the keys of a map is the same', async t => {
  const request: InferenceRequest = { action: 'recommend-items', namespace: 'n', recommender: 'r', userId: 'u', numResults: 1, decorateItems: true, syntheticUser: false, feature: undefined }
  const names = namesOf(5)
  const orders = permutations(names).map(order => Object.fromEntries(order.map(name => [name, `value of ${name}`])))
  t.equal(orders.length, 120)
  t.equal(new Set(orders.map(context => cacheKey('g', 'v', request, undefined, [{ ...request, context }]))).size, 1)
  t.equal(new Set(orders.map(filterValues => cacheKey('g', 'v', request, undefined, [{ ...request, filterValues }]))).size, 1)
})

function permutations<T> (values: readonly T[]): T[][] {
  if (values.length === 0) return [[]]
  return values.flatMap((value, i) => permutations(values.toSpliced(i, 1)).map(others => [value, ...others]))
}
