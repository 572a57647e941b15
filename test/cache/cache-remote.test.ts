import { setImmediate as settled } from 'node:timers/promises'
import t from 'tap'
import type { Cache, Found, Lookup } from '../../src/cache/cache.ts'
import { cacheStatus } from '../../src/cache/cache-status.ts'
import { createEntry, type Entry } from '../../src/cache/entry.ts'
import type { BurstTimers } from '../../src/cache/flights.ts'
import { noCache } from '../../src/cache/policy.ts'
import { createUserVersions, type Announcer, type LinkState } from '../../src/cache/user-versions.ts'
import { eventually } from '../support/eventually.ts'
import { Excusable, testCache, type TestCache, testLookup, testMaker, type TestMaker, testPolicy, testRemote, type TestRemote, testTimers, testUser } from '../support/test-cache.ts'

const { ttl, staleWhileRevalidate, staleIfError } = testPolicy

const get = async (cache: Cache, maker: TestMaker, more: Partial<Lookup> = {}): Promise<Found> => cache.get(testLookup(more), maker)
const bodyOf = ({ entry }: Found): string => entry.body.toString()
const remoteEntry = (madeAt: number): Entry => createEntry({ body: 'of another instance', variation: 'main' }, testPolicy, madeAt)

/** How sure this instance is of what others announce, as a test says. */
function testAnnouncer (): Announcer & { state: LinkState } {
  return { state: 'leased', announce: async () => {} }
}

function shared (remote: TestRemote, announcer = testAnnouncer(), timers?: BurstTimers): TestCache & { announcer: typeof announcer } {
  const versions = createUserVersions()
  versions.tell(announcer)
  return { ...testCache({ remote, versions, timers }), announcer }
}

t.test('what another instance made is served, and then from memory', async t => {
  const remote = testRemote()
  const { cache, now, stats } = testCache({ remote })
  remote.answer = { entry: remoteEntry(now() - 3_000), version: 'v' }
  const maker = testMaker()
  const found = await get(cache, maker)
  t.match(found, { from: 'redis', stale: undefined })
  t.equal(bodyOf(found), 'of another instance')
  t.match(await get(cache, maker), { from: 'memory', entry: { madeAt: now() - 3_000 } })
  t.equal(maker.calls, 0)
  t.strictSame(remote.asked, [{ key: 'key', user: testUser }])
  t.strictSame(remote.kept, [])
  t.match(stats, { served: { 'hit-memory': 1, 'hit-redis': 1, miss: 0 } })
})

t.test('all who ask at once have the shared tier asked once', async t => {
  const remote = testRemote()
  const { cache, now } = testCache({ remote })
  remote.answer = { entry: remoteEntry(now()) }
  const answers = await Promise.all(Array.from({ length: 100 }, async () => get(cache, testMaker())))
  t.equal(remote.asked.length, 1)
  t.equal(answers.filter(({ from }) => from === 'redis').length, 100)
})

t.test('what is made is kept for others under the version that was read before it was made', async t => {
  const remote = testRemote({ version: 'v1' })
  const { cache } = testCache({ remote })
  const maker = testMaker()
  maker.held = true
  const asking = get(cache, maker)
  await settled()
  remote.answer = { version: 'v2' }
  maker.finish()
  const { entry } = await asking
  t.strictSame(remote.kept, [{ key: 'key', user: testUser, entry, version: 'v1' }])
})

t.test('where no events matter, none are asked of the shared tier', async t => {
  for (const more of [{ policy: { ...testPolicy, refreshOnEvents: false } }, { user: undefined }]) {
    const remote = testRemote({})
    const { cache } = testCache({ remote })
    const { entry } = await get(cache, testMaker(), more)
    t.strictSame(remote.asked, [{ key: 'key', user: undefined }])
    t.strictSame(remote.kept, [{ key: 'key', user: undefined, entry, version: undefined }])
  }
})

t.test('a shared tier that cannot be asked keeps nobody from an answer', async t => {
  const { cache, stats } = testCache({ remote: testRemote() })
  t.match(await get(cache, testMaker()), { from: 'origin', forwarded: 'miss' })
  t.match(await get(cache, testMaker()), { from: 'memory' })
  t.equal(stats.withoutRedis, 1)
})

t.test('degraded answers are not handed to others, and what is not kept here is not kept there', async t => {
  const remote = testRemote({ version: 'v' })
  const { cache, versions } = testCache({ remote })
  await get(cache, testMaker({ body: 'spare', variation: 'spare', degraded: 'timeout' }))
  await get(cache, testMaker(new Excusable('away'), 'rescued'), { key: 'rescued' })
  await get(cache, testMaker(), { key: 'unkept', policy: { ...testPolicy, ttl: 0 } })
  t.notOk(remote.asked.some(({ key }) => key === 'unkept'))
  const maker = testMaker()
  maker.held = true
  const asking = get(cache, maker, { key: 'outdated' })
  await settled()
  await versions.raise(testUser)
  maker.finish()
  await asking
  t.strictSame(remote.kept, [])
})

t.test('a late answer is handed to others', async t => {
  const remote = testRemote({ version: 'v' })
  const { cache } = testCache({ remote })
  const maker = testMaker({ body: 'spare', variation: 'spare', degraded: 'timeout' })
  await get(cache, maker)
  maker.keepLate[0]!({ body: 'late', variation: 'main' })
  t.match(remote.kept, [{ key: 'key', version: 'v', entry: { variation: 'main', degraded: undefined } }])
})

t.test('what is stale in the shared tier is there where making fails, and only as long as it may be', async t => {
  for (const [age, served] of [[ttl + staleWhileRevalidate, true], [ttl + staleIfError - 1, true], [ttl + staleIfError, false]] as const) {
    const remote = testRemote()
    const { cache, now } = testCache({ remote })
    remote.answer = { entry: remoteEntry(now() - age), version: 'v' }
    const maker = testMaker(new Excusable('away'))
    if (!served) {
      await t.rejects(get(cache, maker), { message: 'away' })
      continue
    }
    const found = await get(cache, maker)
    t.match(found, { from: 'redis', stale: 'if-error', failure: 'unavailable' })
    t.equal(bodyOf(found), 'of another instance')
  }
})

t.test('what is a little stale in the shared tier is served at once and made anew in the background', async t => {
  const remote = testRemote()
  const { cache, now } = testCache({ remote })
  remote.answer = { entry: remoteEntry(now() - ttl), version: 'v' }
  const maker = testMaker('newer')
  t.match(await get(cache, maker), { from: 'redis', stale: 'while-revalidate' })
  await eventually('it is made anew', async () => bodyOf(await get(cache, maker)) === 'newer')
  t.equal(maker.calls, 1)
})

t.test('what is stale in the shared tier is made anew where that goes well', async t => {
  const remote = testRemote()
  const { cache, now } = testCache({ remote })
  remote.answer = { entry: remoteEntry(now() - ttl - staleWhileRevalidate), version: 'v' }
  const found = await get(cache, testMaker())
  t.match(found, { from: 'origin', forwarded: 'stale' })
  t.equal(bodyOf(found), 'made')
  t.equal(remote.kept.length, 1)
})

t.test('an event while the shared tier is asked makes out of date what it brings', async t => {
  const remote = testRemote()
  const { cache, now, versions } = testCache({ remote })
  remote.answer = { entry: remoteEntry(now()), version: 'v' }
  const asking = get(cache, testMaker())
  await versions.raise(testUser)
  await asking
  remote.answer = { version: 'w' }
  t.equal(bodyOf(await get(cache, testMaker('after'))), 'after')
})

t.test('while nobody can be asked, nothing kept is served to users, from either tier', async t => {
  const remote = testRemote({ version: 'v' })
  const { cache, announcer, now } = shared(remote)
  await get(cache, testMaker('before'))
  remote.answer = { entry: remoteEntry(now()), version: 'v' }
  remote.kept.length = 0
  announcer.state = 'away'
  remote.answer = undefined
  const found = await get(cache, testMaker('now'))
  t.match(found, { from: 'origin' })
  t.equal(bodyOf(found), 'now')
  t.ok(remote.kept.every(({ version }) => version === undefined), 'without a version, the shared tier keeps nothing')
  await t.rejects(get(cache, testMaker(new Excusable('away'))), { message: 'away' })
})

t.test('while nobody can be asked, what is for nobody in particular is kept and served all the same', async t => {
  const remote = testRemote({})
  const announcer = testAnnouncer()
  announcer.state = 'away'
  const { cache } = shared(remote, announcer)
  const maker = testMaker()
  await get(cache, maker, { user: undefined })
  t.match(await get(cache, maker, { user: undefined }), { from: 'memory' })
  t.equal(maker.calls, 1)
  t.equal(remote.asked.length, 1)
})

t.test('where announcements may have been missed, memory answers once the shared tier says that no event has come', async t => {
  const remote = testRemote({ version: 'v1' })
  const { cache, announcer, versions } = shared(remote)
  const maker = testMaker('before')
  await get(cache, maker)
  announcer.state = 'linked'
  t.equal(cache.peek(testLookup()), undefined, 'not without a question')
  t.match(await get(cache, maker), { from: 'memory' })
  t.strictSame([remote.versionsAsked, remote.asked.length, maker.calls], [1, 1, 1])
  announcer.state = 'leased'
  versions.doubt()
  t.equal(cache.peek(testLookup()), undefined)
  t.match(await get(cache, maker), { from: 'memory' })
  t.ok(cache.peek(testLookup()), 'from then on it is certain')
  remote.answer = { version: 'v2' }
  versions.doubt()
  maker.outcome = 'after'
  t.equal(bodyOf(await get(cache, maker)), 'after')
  t.equal(maker.calls, 2)
})

t.test('an answer that is past its time is verified before it is served in the place of a newer one', async t => {
  for (const [inForce, served] of [['v1', 'before'], ['v2', undefined]] as const) {
    const remote = testRemote({ version: 'v1' })
    const { cache, announcer, pass } = shared(remote)
    const maker = testMaker('before')
    await get(cache, maker)
    announcer.state = 'linked'
    remote.answer = { version: inForce }
    pass(ttl)
    maker.outcome = new Excusable('away')
    if (served === undefined) await t.rejects(get(cache, maker), { message: 'away' })
    else t.match(await get(cache, maker), { from: 'memory', stale: 'while-revalidate' })
    pass(staleWhileRevalidate)
    if (served === undefined) await t.rejects(get(cache, maker), { message: 'away' })
    else t.equal(bodyOf(await get(cache, maker)), served)
  }
})

t.test('a flight is joined where the shared tier says that no event has come since it began', async t => {
  const remote = testRemote({ version: 'v1' })
  const { cache, announcer } = shared(remote)
  announcer.state = 'linked'
  const maker = testMaker('one')
  maker.held = true
  const first = get(cache, maker)
  await settled()
  const joined = Array.from({ length: 100 }, async () => get(cache, maker))
  await settled()
  remote.answer = { version: 'v2' }
  const next = Array.from({ length: 100 }, async () => get(cache, maker))
  await settled()
  t.equal(maker.calls, 2)
  maker.finish()
  maker.finish()
  t.match(await first, { from: 'origin', collapsed: undefined })
  for (const found of await Promise.all(joined)) t.match(found, { collapsed: true })
  t.equal((await Promise.all(next)).filter(({ collapsed }) => collapsed === true).length, 99)
  t.equal(maker.calls, 2)
})

t.test('while nobody can be asked, all of a burst share the next flight, and there are never more than two', async t => {
  for (const policy of [testPolicy, noCache]) {
    const announcer = testAnnouncer()
    announcer.state = 'away'
    const timers = testTimers()
    const { cache } = shared(testRemote(), announcer, timers)
    const maker = testMaker()
    maker.held = true
    const asking = Array.from({ length: 1_000 }, async () => get(cache, maker, { policy }))
    await eventually('the next flight has begun', () => {
      timers.pass(20)
      return maker.calls === 2
    })
    const late = Array.from({ length: 1_000 }, async () => get(cache, maker, { policy }))
    // Long enough for any burst to be over.
    for (let ms = 0; ms < 500; ms += 20) {
      await settled()
      timers.pass(20)
    }
    t.equal(maker.calls, 2, 'a third waits for one of them to land')
    maker.finish()
    await eventually('the third has begun', () => maker.calls === 3)
    maker.finish()
    maker.finish()
    await Promise.all([...asking, ...late])
    t.equal(maker.calls, 3)
  }
})

t.test('memory answers while nobody can be asked where the configuration says so, for as long as downstream may keep the answer', async t => {
  const remote = testRemote({ version: 'v1' })
  const { cache, announcer, pass, versions } = shared(remote)
  const maker = testMaker('before')
  const more = { policy: { ...testPolicy, whenUnverified: 'serve' as const, downstreamAge: 4_000 } }
  await get(cache, maker, more)
  announcer.state = 'away'
  remote.answer = undefined
  const found = await get(cache, maker, more)
  t.match(found, { from: 'memory', unverified: true })
  t.match(cacheStatus(found, 1_000_000), 'gateway-memory; hit; detail=unverified; ttl=10')
  pass(4_000)
  maker.outcome = 'after'
  t.equal(bodyOf(await get(cache, maker, more)), 'after')
  t.match(await get(cache, maker, more), { from: 'memory', unverified: true })
  await versions.raise(testUser)
  t.match(await get(cache, maker, more), { from: 'origin' }, 'an event that was accepted here is known all the same')
})
