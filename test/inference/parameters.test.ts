import t from 'tap'
import { GatewayError } from '../../src/base/errors.ts'
import type { InferenceRequest } from '../../src/inference/request.ts'
import { ListQuerySchema, mostItems, readItemIds, readRequest } from '../../src/inference/parameters.ts'
import { readQueryValues } from '../../src/inference/text-parameters.ts'

function read (texts: Record<string, string>): InferenceRequest {
  const query = readQueryValues(ListQuerySchema.properties, new URLSearchParams(texts).toString())
  return readRequest('recommend-items', { namespace: 'store', recommender: 'popular', userId: '1' }, 5, query)
}

function refusal (reading: () => unknown): GatewayError {
  try {
    reading()
  } catch (error) {
    if (error instanceof GatewayError) return error
    throw error
  }
  throw new Error('was not refused')
}

t.test('without parameters the defaults hold', async t => {
  t.strictSame(read({}), {
    action: 'recommend-items',
    namespace: 'store',
    recommender: 'popular',
    userId: '1',
    itemId: undefined,
    itemIds: undefined,
    numResults: 5,
    filter: undefined,
    filterValues: undefined,
    context: undefined,
    decorateItems: true,
    syntheticUser: false,
    feature: undefined,
    query: {}
  })
})

t.test('1, yes and true are true in any case, anything else is false', async t => {
  for (const text of ['1', 'yes', 'YES', 'true', 'True', 'tRUE']) {
    t.match(read({ decorateItems: text, syntheticUser: text }), { decorateItems: true, syntheticUser: true }, text)
  }
  for (const text of ['0', 'no', 'false', 'on', 'y', '11', ' true', 'null']) {
    t.match(read({ decorateItems: text, syntheticUser: text }), { decorateItems: false, syntheticUser: false }, JSON.stringify(text))
  }
})

t.test('empty values mean absent', async t => {
  t.strictSame(read({ filter: '', filterValues: '', context: '', decorateItems: '', syntheticUser: '', feature: '', numResults: '' }), read({}))
})

t.test('filter and feature pass as they are', async t => {
  t.match(read({ filter: 'f', feature: 'x' }), { filter: 'f', feature: 'x' })
})

t.test('maps are read from JSON', async t => {
  t.match(read({ filterValues: '{"A":"\\"x\\",\\"y\\"","B":"1"}', context: '{"device":"phone"}' }),
    { filterValues: { A: '"x","y"', B: '1' }, context: { device: 'phone' } })
})

t.test('what the cache key normalises, the request normalises: maps are sorted by key, and an empty one is absent', async t => {
  for (const empty of ['{}', ' { } ', '']) t.match(read({ context: empty, filterValues: empty }), { context: undefined, filterValues: undefined }, empty)
  for (const text of ['{"b":"2","a":"1"}', '{"a":"1","b":"2"}', '{"a":"0","b":"2","a":"1"}']) t.equal(JSON.stringify(read({ context: text, filterValues: text }).context), '{"a":"1","b":"2"}')
})

t.test('the characters of a map are counted as in JSON schemas, as code points', async t => {
  t.match(read({ context: JSON.stringify({ ['\u{1f600}'.repeat(150)]: '\u{1f600}'.repeat(1000) }) }).context, Object)
  t.match(refusal(() => read({ context: JSON.stringify({ a: '\u{1f600}'.repeat(1001) }) })).message, /at most 1000 characters/)
})

t.test('what is no map of strings is refused by the name of the parameter', async t => {
  const wrong = ['{', 'x', 'null', '1', '"x"', '[]', '["a"]', '{"a":1}', '{"a":null}', '{"a":{}}', '{"":"x"}', JSON.stringify({ ['k'.repeat(151)]: 'x' }), JSON.stringify({ a: 'x'.repeat(1001) })]
  // A function takes other values in its context. The variation decides: see test/routes/inapplicable.test.ts.
  const forFunctions = ['{"a":1}', '{"a":null}', '{"a":{}}']
  for (const text of wrong) {
    if (forFunctions.includes(text)) t.equal(JSON.stringify(read({ context: text }).context), text)
    else t.match(refusal(() => read({ context: text })), { code: 'InvalidContextParameter', status: 400, message: /^context: expected / }, text)
    const filterValues = refusal(() => read({ filterValues: text }))
    t.match(filterValues, { code: 'InvalidFilterParameter', status: 400, message: /^filterValues: expected / }, text)
  }
  // Doubles would change these numbers.
  for (const text of ['{"a":15793596764604417}', '{"a":[{"b":-9007199254740993}]}', '{"a":1e999}']) {
    const context = refusal(() => read({ context: text }))
    t.match(context, { code: 'InvalidContextParameter', status: 400, message: /^context: expected .*below 2\^53; "a" is not$/ }, text)
  }
})

t.test('the limits of maps themselves are allowed', async t => {
  const map = (keys: number): string => JSON.stringify(Object.fromEntries(Array.from({ length: keys }, (_, i) => [`${i}`.padEnd(150, 'k'), 'v'.repeat(1000)])))
  t.equal(Object.keys(read({ context: map(150) }).context!).length, 150)
  t.equal(Object.keys(read({ filterValues: map(25) }).filterValues!).length, 25)
  t.match(refusal(() => read({ context: map(151) })).message, /at most 150 keys, got 151/)
  t.match(refusal(() => read({ filterValues: map(26) })).message, /at most 25 keys, got 26/)
})

t.test('a key called __proto__ is a key', async t => {
  const { context } = read({ context: '{"__proto__":"x"}' })
  t.equal(JSON.stringify(context), '{"__proto__":"x"}')
})

const itemIds = (list: string): string[] => readItemIds('items', list, decodeURIComponent)

t.test('item ids are separated by the commas of the raw URL and keep everything else: an encoded comma belongs to an id', async t => {
  t.strictSame(itemIds('a'), ['a'])
  t.strictSame(itemIds('a,b c,ü/%252C,a'), ['a', 'b c', 'ü/%2C', 'a'])
  t.strictSame(itemIds('1%2C5-liter,b%2c,%2C'), ['1,5-liter', 'b,', ','])
  t.equal(itemIds(Array(mostItems).fill('x'.repeat(256)).join(',')).length, mostItems)
})

t.test('bad lists of item ids are refused by the name of the parameter', async t => {
  const cases: Array<[string, RegExp]> = [
    ['', /item id 1 is empty/],
    ['a,,b', /item id 2 is empty/],
    ['a,', /item id 2 is empty/],
    [`a,${'x'.repeat(257)}`, /item id 2 is too long/],
    [Array(mostItems + 1).fill('x').join(','), /at most 500 item ids, got 501/]
  ]
  for (const [list, message] of cases) {
    const error = refusal(() => itemIds(list))
    t.match(error, { code: 'InvalidParameter', status: 400, message })
    t.match(error.message, /^items: /)
  }
})
