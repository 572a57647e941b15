import { setImmediate as settled } from 'node:timers/promises'
import t from 'tap'
import { Excusable, testCache, testLookup, testMaker, testPolicy } from '../support/test-cache.ts'
import type { Cache, Found, Lookup } from '../../src/cache/cache.ts'
import type { TestMaker } from '../support/test-cache.ts'

const bodyOf = ({ entry }: Found): string => entry.body.toString()
const get = async (cache: Cache, maker: TestMaker, more: Partial<Lookup> = {}): Promise<Found> => cache.get(testLookup(more), maker)

t.test('a thousand who ask the same at once cause one call, and all are answered', async t => {
  const { cache } = testCache()
  const maker = testMaker()
  maker.held = true
  const asking = Array.from({ length: 1000 }, async () => get(cache, maker))
  await settled()
  maker.finish()
  const answers = await Promise.all(asking)
  t.equal(maker.calls, 1)
  t.strictSame(new Set(answers.map(bodyOf)), new Set(['made']))
  t.equal(answers.filter(({ collapsed }) => collapsed === true).length, 999)
  t.match(await get(cache, maker), { from: 'memory', stale: undefined, collapsed: undefined })
  t.equal(maker.calls, 1)
})

t.test('a thousand users cause a thousand calls, and each has an answer of their own', async t => {
  const { cache } = testCache()
  const makers = Array.from({ length: 1000 }, (_, i) => testMaker(`for ${i}`))
  const ask = async (maker: TestMaker, i: number): Promise<Found> => get(cache, maker, { key: `key ${i}`, user: { namespace: 'shop', userId: `u${i}` } })
  const expected = makers.map((_, i) => `for ${i}`)
  t.strictSame((await Promise.all(makers.map(ask))).map(bodyOf), expected)
  t.strictSame((await Promise.all(makers.map(ask))).map(bodyOf), expected)
  t.strictSame(makers.map(({ calls }) => calls), makers.map(() => 1))
})

t.test('a failure is told to all who wait, is not kept, and the next who asks has it tried again', async t => {
  const { cache, memory, errors } = testCache()
  const maker = testMaker(new Error('broken'))
  maker.held = true
  const asking = Promise.allSettled([get(cache, maker), get(cache, maker), get(cache, maker)])
  await settled()
  maker.finish()
  for (const outcome of await asking) t.match(outcome, { status: 'rejected', reason: { message: 'broken' } })
  t.equal(maker.calls, 1)
  t.equal(memory.entries, 0)
  maker.outcome = 'well again'
  maker.held = false
  t.match(await get(cache, maker), { from: 'origin', forwarded: 'miss' })
  t.equal(maker.calls, 2)
  t.strictSame(errors, [], 'somebody waited for it')
})

t.test('an answer lives as long as its ttl, from when it was made', async t => {
  const { cache, pass } = testCache()
  const maker = testMaker()
  const policy = { ...testPolicy, staleWhileRevalidate: 0 }
  maker.held = true
  const first = get(cache, maker, { policy })
  await settled()
  pass(4_000)
  maker.finish()
  t.match(await first, { from: 'origin', forwarded: 'miss' })
  maker.held = false
  pass(9_999)
  t.match(await get(cache, maker, { policy }), { from: 'memory' })
  t.match(cache.peek(testLookup({ policy })), { from: 'memory' })
  pass(1)
  t.equal(cache.peek(testLookup({ policy })), undefined)
  t.match(await get(cache, maker, { policy }), { from: 'origin', forwarded: 'stale' })
  t.equal(maker.calls, 2)
})

t.test('nothing is there for a peek but what memory has', async t => {
  const { cache } = testCache()
  t.equal(cache.peek(testLookup()), undefined)
  await get(cache, testMaker())
  t.equal(bodyOf(cache.peek(testLookup())!), 'made')
  t.equal(cache.peek(testLookup({ key: 'other' })), undefined)
})

t.test('where nothing is to be kept, nothing is, and who asks at once still shares a call', async t => {
  const { cache, memory } = testCache()
  const maker = testMaker()
  const policy = { ...testPolicy, ttl: 0 }
  const answers = await Promise.all([get(cache, maker, { policy }), get(cache, maker, { policy })])
  t.equal(maker.calls, 1)
  t.match(answers, [{ from: 'origin', forwarded: 'bypass' }, { forwarded: 'bypass', collapsed: true }])
  t.equal(memory.entries, 0)
  await get(cache, maker, { policy })
  t.equal(maker.calls, 2)
  maker.outcome = new Excusable('away')
  await t.rejects(get(cache, maker, { policy }), { message: 'away' })
  t.equal(memory.entries, 0)
})

t.test('a degraded answer is kept for two seconds at most, and is never served stale', async t => {
  for (const [ttl, lives] of [[10_000, 2_000], [1_500, 1_500]] as const) {
    const { cache, pass } = testCache()
    const maker = testMaker({ body: 'in its place', variation: 'spare', degraded: 'timeout' })
    const policy = { ...testPolicy, ttl }
    await get(cache, maker, { policy })
    pass(lives - 1)
    t.match(await get(cache, maker, { policy }), { from: 'memory', entry: { degraded: 'timeout', variation: 'spare' } })
    pass(1)
    maker.outcome = new Excusable('away')
    await t.rejects(get(cache, maker, { policy }), { message: 'away' })
    t.equal(maker.calls, 2)
  }
})

t.test('a degraded answer spares the provider a storm, however long it took to come', async t => {
  const { cache, pass } = testCache()
  const maker = testMaker({ body: 'in its place', variation: 'spare', degraded: 'timeout' })
  maker.held = true
  const first = get(cache, maker)
  await settled()
  pass(3_000)
  maker.finish()
  await first
  maker.held = false
  t.match(await get(cache, maker), { from: 'memory', entry: { degraded: 'timeout' } })
  t.equal(maker.calls, 1)
})

t.test('an answer that comes late takes the place of what was served', async t => {
  const { cache } = testCache()
  const maker = testMaker({ body: 'in its place', variation: 'spare', degraded: 'timeout' })
  t.match(await get(cache, maker), { entry: { degraded: 'timeout' } })
  maker.keepLate[0]!({ body: 'late', variation: 'main' })
  const found = await get(cache, maker)
  t.match(found, { from: 'memory', entry: { variation: 'main', degraded: undefined } })
  t.equal(bodyOf(found), 'late')
  t.equal(maker.calls, 1)
})

t.test('an answer that comes late is not kept where none is, nor where an event came meanwhile', async t => {
  const { cache, memory, versions } = testCache()
  const maker = testMaker()
  await get(cache, maker, { policy: { ...testPolicy, ttl: 0 } })
  maker.keepLate[0]!({ body: 'late', variation: 'main' })
  t.equal(memory.entries, 0)
  await get(cache, maker)
  await versions.raise(testLookup().user!)
  maker.keepLate[1]!({ body: 'late', variation: 'main' })
  maker.outcome = 'after the event'
  t.equal(bodyOf(await get(cache, maker)), 'after the event')
})

t.test('what became of lookups is counted', async t => {
  const { cache, stats, pass } = testCache()
  const maker = testMaker()
  await Promise.all([get(cache, maker), get(cache, maker)])
  cache.peek(testLookup())
  await get(cache, maker)
  t.match(stats, { served: { miss: 1, collapsed: 1, 'hit-memory': 2, 'hit-redis': 0, bypass: 0 }, failures: 0, outdated: 0 })
  await get(cache, maker, { key: 'other', policy: { ...testPolicy, ttl: 0 } })
  t.match(stats, { served: { miss: 1, bypass: 1 } })
  pass(testPolicy.ttl)
  await get(cache, maker)
  t.equal(stats.served['stale-while-revalidate'], 1)
  maker.outcome = new Error('broken')
  await t.rejects(get(cache, maker, { key: 'another' }))
  t.equal(stats.failures, 1)
})
