import t from 'tap'
import { remember } from '../../src/metadata/dynamodb/memory.ts'
import { createMetadataStats } from '../../src/metadata/stats.ts'
import { ItemMetadataError } from '../../src/metadata/store.ts'

const signal = new AbortController().signal

/** A memory of ten seconds and of so many items before a store that has `a` and `b`. */
function remembering (maxItems = 100) {
  const asked: string[][] = []
  const stats = createMetadataStats()
  const clock = { now: 1_000_000 }
  const items = new Map([['a', '{"v":1}'], ['b', '{"v":2}']])
  const source = {
    get: async (itemIds: readonly string[]): Promise<ReadonlyMap<string, string>> => new Map([...items].filter(([id]) => itemIds.includes(id)))
  }
  const { get, learn } = remember(async itemIds => {
    asked.push([...itemIds])
    return source.get(itemIds)
  }, { ttl: 10, maxItems, now: () => clock.now, stats })
  return { get: async (...ids: string[]) => Object.fromEntries(await get(ids, signal)), learn, asked, stats, clock, items, source }
}

t.test('what was looked up is not looked up again, also that there is no such item', async t => {
  const { get, asked, stats } = remembering()
  t.strictSame(await get('a', 'missing', 'a'), { a: '{"v":1}' })
  t.strictSame(await get('missing', 'a'), { a: '{"v":1}' })
  t.strictSame(await get('a', 'b'), { a: '{"v":1}', b: '{"v":2}' })
  t.strictSame(asked, [['a', 'missing'], ['b']])
  t.equal(stats.cacheHits, 3)
})

t.test('it is looked up again when its time is over', async t => {
  const { get, asked, clock, items } = remembering()
  await get('a', 'c')
  items.set('a', '{"v":9}').set('c', '{}')
  clock.now += 9_999
  t.strictSame(await get('a', 'c'), { a: '{"v":1}' })
  clock.now += 2
  t.strictSame(await get('a', 'c'), { a: '{"v":9}', c: '{}' })
  t.equal(asked.length, 2)
})

t.test('of a lookup that failed, what was found is remembered, and what was not is no missing item', async t => {
  const { get, asked, source } = remembering()
  await get('a')
  const whole = source.get
  source.get = async () => { throw new ItemMetadataError('throttled', new Map([['b', '{"v":2}']]), { cause: new Error('slow down') }) }
  const error = await get('a', 'b', 'c').then(() => undefined, (error: unknown) => error as ItemMetadataError)
  t.match(error, { name: 'ItemMetadataError', reason: 'throttled', cause: { message: 'slow down' } })
  t.strictSame(Object.fromEntries(error!.found), { a: '{"v":1}', b: '{"v":2}' }, 'with what memory knew')
  source.get = whole
  t.strictSame(await get('a', 'b', 'c'), { a: '{"v":1}', b: '{"v":2}' })
  t.strictSame(asked, [['a'], ['b', 'c'], ['c']])
})

t.test('other errors come through', async t => {
  const { get, source } = remembering()
  source.get = async () => { throw new TypeError('a bug') }
  await t.rejects(get('a'), { name: 'TypeError' })
})

t.test('no more items are remembered than the configuration says', async t => {
  const { get, asked } = remembering(2)
  await get('a', 'b', 'c')
  await get('b', 'c')
  t.equal(asked.length, 1)
  await get('a')
  t.equal(asked.length, 2)
})

t.test('an item that was put is known at once, also where a lookup is under way that may bring the one before', async t => {
  const { get, learn, asked, source } = remembering()
  t.strictSame(await get('a'), { a: '{"v":1}' })
  learn('a', '{"v":3}')
  t.strictSame(await get('a'), { a: '{"v":3}' })
  t.strictSame(asked, [['a']])
  let answer: (found: ReadonlyMap<string, string>) => void = () => {}
  source.get = async () => new Promise(resolve => { answer = resolve })
  const lookup = get('b')
  learn('b', '{"v":4}')
  answer(new Map([['b', '{"v":2}']]))
  await lookup
  t.strictSame(await get('b'), { b: '{"v":4}' })
})
