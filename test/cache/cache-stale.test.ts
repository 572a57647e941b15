import { setImmediate as settled } from 'node:timers/promises'
import t from 'tap'
import type { Cache, Found } from '../../src/cache/cache.ts'
import { Excusable, testCache, testLookup, testMaker, testPolicy, type TestMaker } from '../support/test-cache.ts'

const { ttl, staleWhileRevalidate, staleIfError } = testPolicy

const get = async (cache: Cache, maker: TestMaker): Promise<Found> => cache.get(testLookup(), maker)
const bodyOf = ({ entry }: Found): string => entry.body.toString()

t.test('past its time an answer is served at once, and made anew once in the background', async t => {
  const { cache, pass, errors } = testCache()
  const maker = testMaker('old')
  await get(cache, maker)
  pass(ttl)
  maker.outcome = 'new'
  maker.held = true
  for (let i = 0; i < 10; i++) {
    const found = await get(cache, maker)
    t.match(found, { from: 'memory', stale: 'while-revalidate', failure: undefined })
    t.equal(bodyOf(found), 'old')
  }
  t.equal(maker.calls, 2)
  maker.finish()
  await settled()
  const found = await get(cache, maker)
  t.equal(found.stale, undefined)
  t.equal(bodyOf(found), 'new')
  t.equal(maker.calls, 2)
  t.strictSame(errors, [])
})

t.test('past the time for that, it is waited for', async t => {
  const { cache, pass } = testCache()
  const maker = testMaker('old')
  await get(cache, maker)
  pass(ttl + staleWhileRevalidate)
  maker.outcome = 'new'
  const found = await get(cache, maker)
  t.match(found, { from: 'origin', forwarded: 'stale', stale: undefined })
  t.equal(bodyOf(found), 'new')
})

t.test('what could not be made anew is tried again after a second, and not sooner', async t => {
  const { cache, pass } = testCache()
  const maker = testMaker('old')
  await get(cache, maker)
  pass(ttl)
  maker.outcome = new Excusable('away')
  const ask = async (): Promise<void> => {
    t.equal(bodyOf(await get(cache, maker)), 'old')
    await settled()
  }
  await ask()
  t.equal(maker.calls, 2)
  pass(999)
  await ask()
  t.equal(maker.calls, 2)
  pass(1)
  await ask()
  t.equal(maker.calls, 3)
})

t.test('a renewal that goes wrong by a mistake of ours is reported, and nobody is harmed', async t => {
  const { cache, pass, errors } = testCache()
  const maker = testMaker('old')
  await get(cache, maker)
  pass(ttl)
  const mistake = new TypeError('ours')
  maker.outcome = mistake
  t.equal(bodyOf(await get(cache, maker)), 'old')
  await settled()
  t.strictSame(errors, [mistake])
})

t.test('where making fails, what is stale is served for as long as it may be, and says why', async t => {
  const { cache, pass } = testCache()
  const maker = testMaker('old', 'rescued')
  await get(cache, maker)
  maker.outcome = new Excusable('away')
  pass(ttl + staleWhileRevalidate)
  const found = await get(cache, maker)
  t.match(found, { from: 'memory', stale: 'if-error', failure: 'unavailable', entry: { variation: 'main' } })
  t.equal(bodyOf(found), 'old')
  t.equal(maker.calls, 2)
  t.match(await get(cache, maker), { stale: 'if-error', failure: 'unavailable' })
  t.equal(maker.calls, 2, 'no more is tried for a second')
  pass(staleIfError - staleWhileRevalidate - 1)
  t.match(await get(cache, maker), { stale: 'if-error', failure: 'unavailable' })
  t.equal(maker.calls, 3)
  pass(1)
  t.match(await get(cache, maker), { from: 'origin', stale: undefined, entry: { variation: 'spare', degraded: 'unavailable' } })
})

t.test('where nothing stale may be served there is the fallback, and without one the error', async t => {
  const { cache, stats } = testCache()
  t.equal(bodyOf(await get(cache, testMaker(new Excusable('away'), 'rescued'))), 'rescued')
  t.equal(stats.failures, 1)
  const { cache: other } = testCache()
  await t.rejects(get(other, testMaker(new Excusable('away'))), { message: 'away' })
})

t.test('what is well again takes the place of what was stale', async t => {
  const { cache, pass } = testCache()
  const maker = testMaker('old')
  await get(cache, maker)
  maker.outcome = new Excusable('away')
  pass(ttl + staleWhileRevalidate)
  await get(cache, maker)
  pass(1_000)
  maker.outcome = 'new'
  t.match(await get(cache, maker), { from: 'origin', forwarded: 'stale' })
  const found = await get(cache, maker)
  t.match(found, { from: 'memory', stale: undefined, failure: undefined })
  t.equal(bodyOf(found), 'new')
})

t.test('what has no excuse is told, even where there is something stale', async t => {
  const { cache, pass } = testCache()
  const maker = testMaker('old')
  await get(cache, maker)
  maker.outcome = new Error('the caller\'s mistake')
  pass(ttl + staleWhileRevalidate)
  await t.rejects(get(cache, maker), { message: 'the caller\'s mistake' })
})

t.test('and it is told each time, not covered by what is stale', async t => {
  const { cache, pass } = testCache()
  const maker = testMaker('old')
  await get(cache, maker)
  pass(ttl + testPolicy.staleWhileRevalidate)
  maker.outcome = new Error('the caller\'s mistake')
  for (let i = 0; i < 3; i++) await t.rejects(get(cache, maker), { message: 'the caller\'s mistake' })
})

t.test('all who wait share what is stale where making fails', async t => {
  const { cache, pass } = testCache()
  const maker = testMaker('old')
  await get(cache, maker)
  maker.outcome = new Excusable('away')
  maker.held = true
  pass(ttl + staleWhileRevalidate)
  const asking = [get(cache, maker), get(cache, maker)]
  await settled()
  maker.finish()
  t.match(await Promise.all(asking), [{ stale: 'if-error' }, { stale: 'if-error', collapsed: true }])
  t.equal(maker.calls, 2)
})

t.test('what is stale but whole is not given up for what is degraded', async t => {
  const { cache, pass } = testCache()
  const maker = testMaker('old')
  await get(cache, maker)
  maker.outcome = { body: 'in its place', variation: 'spare', degraded: 'timeout' }
  pass(ttl)
  t.equal(bodyOf(await get(cache, maker)), 'old')
  await settled()
  const found = await get(cache, maker)
  t.match(found, { stale: 'while-revalidate', entry: { degraded: undefined } })
  t.equal(bodyOf(found), 'old')
})

t.test('what the caller did wrong, found out in the background, is not asked again and again', async t => {
  const { cache, pass } = testCache()
  const maker = testMaker('old')
  await get(cache, maker)
  pass(ttl)
  maker.outcome = new Error('the caller\'s mistake')
  for (let i = 0; i < 5; i++) {
    await get(cache, maker)
    await settled()
  }
  t.equal(maker.calls, 2)
})
