import { setImmediate as settled } from 'node:timers/promises'
import t from 'tap'
import type { Cache, Found, Lookup } from '../../src/cache/cache.ts'
import { noCache } from '../../src/cache/policy.ts'
import { Excusable, testCache, testLookup, testMaker, testPolicy, testUser, type TestMaker } from '../support/test-cache.ts'

const { ttl, staleWhileRevalidate } = testPolicy

const get = async (cache: Cache, maker: TestMaker, more: Partial<Lookup> = {}): Promise<Found> => cache.get(testLookup(more), maker)
const bodyOf = ({ entry }: Found): string => entry.body.toString()

t.test('an event makes what is fresh out of date, for its user alone', async t => {
  const { cache, versions, stats } = testCache()
  const [mine, other] = [testMaker('before'), testMaker('before')]
  const another = { key: 'other', user: { namespace: 'shop', userId: 'another' } }
  await get(cache, mine)
  await get(cache, other, another)
  await versions.raise(testUser)
  mine.outcome = other.outcome = 'after'
  t.equal(cache.peek(testLookup()), undefined)
  t.equal(bodyOf(await get(cache, mine)), 'after')
  t.equal(bodyOf(await get(cache, mine)), 'after')
  t.equal(mine.calls, 2)
  t.equal(bodyOf(await get(cache, other, another)), 'before')
  t.equal(stats.outdated, 1)
})

t.test('the same user of another namespace is another', async t => {
  const { cache, versions } = testCache()
  const maker = testMaker()
  await get(cache, maker)
  await versions.raise({ ...testUser, namespace: 'elsewhere' })
  t.match(await get(cache, maker), { from: 'memory' })
})

t.test('an event makes what is stale out of date: it is neither served meanwhile nor in place of an error', async t => {
  for (const age of [ttl, ttl + staleWhileRevalidate]) {
    const { cache, versions, pass } = testCache()
    const maker = testMaker('before')
    await get(cache, maker)
    pass(age)
    await versions.raise(testUser)
    maker.outcome = new Excusable('away')
    await t.rejects(get(cache, maker), { message: 'away' })
    maker.outcome = 'after'
    t.equal(bodyOf(await get(cache, maker)), 'after')
  }
})

t.test('what an event outdated while it could not be made anew is not served either', async t => {
  const { cache, versions, pass } = testCache()
  const maker = testMaker('before')
  await get(cache, maker)
  pass(ttl + staleWhileRevalidate)
  maker.outcome = new Excusable('away')
  t.match(await get(cache, maker), { stale: 'if-error' })
  await versions.raise(testUser)
  await t.rejects(get(cache, maker), { message: 'away' })
})

t.test('an event while the making fails leaves nothing stale to serve', async t => {
  const { cache, versions, pass } = testCache()
  const maker = testMaker('before')
  await get(cache, maker)
  pass(ttl + staleWhileRevalidate)
  maker.held = true
  const asking = get(cache, maker)
  await settled()
  await versions.raise(testUser)
  maker.outcome = new Excusable('away')
  maker.finish()
  await t.rejects(asking, { message: 'away' })
})

t.test('what began before an event is not joined after it, and is not kept', async t => {
  const { cache, versions } = testCache()
  const maker = testMaker('before')
  maker.held = true
  const before = get(cache, maker)
  await versions.raise(testUser)
  const after = get(cache, maker)
  await settled()
  t.equal(maker.calls, 2)
  maker.finish()
  t.equal(bodyOf(await before), 'before', 'who asked before may have what was then')
  t.equal(cache.peek(testLookup()), undefined)
  const joined = get(cache, maker)
  maker.outcome = 'after'
  maker.finish()
  t.equal(bodyOf(await after), 'after')
  t.match(await joined, { collapsed: true })
  t.equal(bodyOf(await get(cache, maker)), 'after')
  t.equal(maker.calls, 2)
})

t.test('what began before an event and ends last does not take the place of what is newer', async t => {
  const { cache, versions } = testCache()
  const [slow, quick] = [testMaker('before'), testMaker('after')]
  slow.held = true
  const before = get(cache, slow)
  await versions.raise(testUser)
  t.equal(bodyOf(await get(cache, quick)), 'after')
  slow.finish()
  await before
  t.equal(bodyOf(await get(cache, quick)), 'after')
  t.equal(quick.calls, 1)
})

t.test('where nothing is kept, what began before an event is not joined after it either', async t => {
  // Also not by one who may have what is kept: POST and GET ask for the same.
  for (const [first, second] of [[{ ...testPolicy, ttl: 0 }, { ...testPolicy, ttl: 0 }], [noCache, noCache], [noCache, testPolicy], [testPolicy, noCache]] as const) {
    const { cache, versions } = testCache()
    const maker = testMaker('before')
    maker.held = true
    const before = get(cache, maker, { policy: first })
    await versions.raise(testUser)
    const after = get(cache, maker, { policy: second })
    await settled()
    t.equal(maker.calls, 2, `${first.ttl} ms, then ${second.ttl} ms`)
    while (maker.waiting > 0) maker.finish()
    await Promise.all([before, after])
  }
})

t.test('where events do not matter, they change nothing', async t => {
  for (const more of [{ policy: { ...testPolicy, refreshOnEvents: false } }, { user: undefined }]) {
    const { cache, versions } = testCache()
    const maker = testMaker('before')
    maker.held = true
    const first = get(cache, maker, more)
    await versions.raise(testUser)
    const second = get(cache, maker, more)
    await settled()
    maker.finish()
    t.match(await second, { collapsed: true })
    await first
    await versions.raise(testUser)
    versions.doubt()
    t.match(await get(cache, maker, more), { from: 'memory' })
    t.equal(maker.calls, 1)
  }
})

t.test('where events may have been missed, everything made for anybody is out of date', async t => {
  const { cache, versions } = testCache()
  const maker = testMaker('before')
  await get(cache, maker)
  versions.doubt()
  maker.outcome = 'after'
  t.equal(bodyOf(await get(cache, maker)), 'after')
  t.equal(bodyOf(await get(cache, maker)), 'after')
  t.equal(maker.calls, 2)
})
