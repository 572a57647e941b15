import t, { type Test } from 'tap'
import { createLedger, rememberedFor, type Ledger } from '../../src/events/ledger.ts'
import { eventually } from '../support/eventually.ts'
import { openTestLink, type TestLink } from '../support/redis-link.ts'
import { needsRedis, startRedis, type RedisServer } from '../support/redis-server.ts'

const targets = ['one', 'other']
const delivered = (...entries: Array<[string, string[]]>): ReadonlyMap<string, ReadonlySet<string>> => new Map(entries.map(([eventId, names]) => [eventId, new Set(names)]))

/** A ledger in memory, whose clock a test turns. */
function inMemory () {
  let time = 0
  const ledger = createLedger({ now: () => time, onError: error => { throw error } })
  return { ...ledger, pass: (seconds: number) => { time += seconds * 1000 } }
}

/** A ledger of an instance of its own. */
async function withRedis (t: Test, { url }: RedisServer): Promise<{ ledger: Ledger, link: TestLink['link'], errors: unknown[] }> {
  const { link } = openTestLink(t, url, { patience: 1_000 })
  const errors: unknown[] = []
  const ledger = createLedger({ now: Date.now, redis: link, onError: error => { errors.push(error) } })
  await eventually('Redis answers', () => link.up)
  return { ledger, link, errors }
}

t.test('it is known which targets have an event, of those that are asked for', async t => {
  const { recall, remember } = inMemory()
  await remember('shop', delivered(['a', ['one']], ['b', ['one', 'other']], ['c', []]), targets)
  t.same(await recall('shop', ['a', 'b', 'c', 'd'], targets), delivered(['a', ['one']], ['b', ['one', 'other']]))
  t.same(await recall('shop', ['a'], ['one', 'new']), delivered(['a', ['one']]))
  t.same(await recall('shop', ['a', 'b'], ['other', 'new']), delivered(['b', ['other']]), 'also where what all had was remembered as one')
  t.equal((await recall('shop', [], targets)).size, 0)
})

t.test('namespaces, targets and events do not get mixed up, whatever they are called', async t => {
  const { recall, remember } = inMemory()
  await remember('shop', delivered(['a\none\nb', ['one']], ['one\na', ['other']]), targets)
  t.equal((await recall('shop', ['b', 'a', 'a\none', 'one'], targets)).size, 0)
  t.equal((await recall('store', ['one\na'], targets)).size, 0)
})

t.test('what more targets have by and by is added', async t => {
  const { recall, remember } = inMemory()
  await remember('shop', delivered(['a', ['one']]), targets)
  await remember('shop', delivered(['a', ['other']]), targets)
  t.same(await recall('shop', ['a'], targets), delivered(['a', targets]))
})

t.test('it is remembered for ten minutes', async t => {
  const { recall, remember, pass } = inMemory()
  await remember('shop', delivered(['a', ['one']]), targets)
  pass(rememberedFor - 1)
  await remember('shop', delivered(['b', ['one']]), targets)
  t.same(await recall('shop', ['a'], targets), delivered(['a', ['one']]))
  pass(2 * rememberedFor)
  await remember('shop', delivered(['c', ['one']]), targets)
  t.equal((await recall('shop', ['a', 'b'], targets)).size, 0)
})

for (const cluster of [false, true]) {
  t.test(`instances with one Redis know what the others have delivered${cluster ? ', also in a cluster' : ''}`, needsRedis, async t => {
    const redis = await startRedis(t, { cluster })
    const [a, b] = [await withRedis(t, redis), await withRedis(t, redis)]
    await a.ledger.remember('shop', delivered(['a', ['one']], ['b', targets]), targets)
    t.same(await b.ledger.recall('shop', ['a', 'b', 'c'], targets), delivered(['a', ['one']], ['b', targets]))
    t.equal((await b.ledger.recall('store', ['a'], targets)).size, 0)
    await b.ledger.remember('shop', delivered(['a', targets]), targets)
    t.same(await a.ledger.recall('shop', ['a'], targets), delivered(['a', targets]))
    t.strictSame([a.errors, b.errors], [[], []])
  })
}

t.test('each entry in Redis ends by itself, and says nothing of who did what', needsRedis, async t => {
  const redis = await startRedis(t)
  const { ledger } = await withRedis(t, redis)
  await ledger.remember('shop', delivered(['\ud800', ['one']]), targets)
  t.equal((await ledger.recall('shop', ['\ud801'], targets)).size, 0, 'halves of characters are told apart')
  await redis.client.flushdb()
  await ledger.remember('shop', delivered(...Array.from({ length: 1_000 }, (_, i): [string, string[]] => [`secret-${i}`, targets])), targets)
  const keys = await redis.client.keys('personalization:event:*')
  t.equal(keys.length, 1_000)
  for (const key of keys) {
    const ttl = await redis.client.ttl(key)
    if (ttl < rememberedFor - 60 || ttl > rememberedFor) t.fail(`${key} ends in ${ttl} s`)
  }
  t.notMatch(keys.join(), /secret/)
})

t.test('as many events as a batch may have do not make Redis look as if it were away', needsRedis, async t => {
  const redis = await startRedis(t)
  // A slice of 200 takes as long as the machine makes it; all 5,000 at once would take many times as long.
  const first = openTestLink(t, redis.url, { patience: 10_000 }).link
  await eventually('Redis answers', () => first.up)
  const began = performance.now()
  const measured = createLedger({ now: Date.now, redis: first, onError: error => { throw error } })
  await measured.remember('shop', new Map(Array.from({ length: 200 }, (_, i) => [`measured-${i}`, new Set(targets)])), targets)
  const patience = Math.max(100, 8 * (performance.now() - began))
  const { link } = openTestLink(t, redis.url, { patience })
  const [a, b] = [1, 2].map(() => createLedger({ now: Date.now, redis: link, onError: error => { throw error } }))
  await eventually('Redis answers', () => link.up)
  const eventIds = Array.from({ length: 5_000 }, (_, i) => `event-${i}`)
  await a!.remember('shop', new Map(eventIds.map(eventId => [eventId, new Set(targets)])), targets)
  t.ok(link.up)
  t.equal((await b!.recall('shop', eventIds, targets)).size, 5_000)
  t.ok(link.up)
})

t.test('while Redis is away memory is gone on with, and nobody waits', needsRedis, async t => {
  const redis = await startRedis(t)
  const { ledger, link, errors } = await withRedis(t, redis)
  await ledger.remember('shop', delivered(['before', ['one']]), targets)
  await redis.kill()
  await ledger.remember('shop', delivered(['while it went', ['one']]), targets)
  await eventually('it is noticed', () => !link.up)
  const count = errors.length
  await ledger.remember('shop', delivered(['while it was away', ['one']]), targets)
  const eventIds = ['before', 'while it went', 'while it was away']
  const expected = delivered(...eventIds.map((eventId): [string, string[]] => [eventId, ['one']]))
  t.same(await ledger.recall('shop', eventIds, targets), expected)
  t.equal(errors.length, count, 'what is away is not asked')
  await redis.restart()
  await eventually('it is there again', () => link.up)
  t.same(await ledger.recall('shop', eventIds, targets), expected, 'a Redis that came back empty takes nothing away')
  await ledger.remember('shop', delivered(['after', ['one']]), targets)
  t.equal((await redis.client.keys('personalization:event:*')).length, 1)
})

t.test('a Redis that does not answer is told of, and costs the time of a command', needsRedis, async t => {
  const redis = await startRedis(t)
  const { ledger, link, errors } = await withRedis(t, redis)
  await ledger.remember('shop', delivered(['a', ['one']]), targets)
  t.ok(link.up)
  redis.pause()
  t.same(await ledger.recall('shop', ['a', 'b'], targets), delivered(['a', ['one']]))
  await ledger.remember('shop', delivered(['b', ['one']]), targets)
  redis.resume()
  t.same(await ledger.recall('shop', ['b'], targets), delivered(['b', ['one']]))
  t.ok(errors.length > 0)
})
