import t from 'tap'
import { eventually } from '../support/eventually.ts'
import { agreed, openTestLink, openTestLinks, leased } from '../support/redis-link.ts'
import { startRedisProxy } from '../support/redis-proxy.ts'
import { needsRedis, startRedis } from '../support/redis-server.ts'
import { seededRandom } from '../support/seeded-random.ts'

const user = { namespace: 'shop', userId: 'somebody' }

t.test('a link that has just been opened verifies at once, and holds a lease as soon as it has heard itself', needsRedis, async t => {
  const redis = await startRedis(t)
  const from = performance.now()
  const a = openTestLink(t, redis.url)
  t.equal(a.link.state, 'away')
  t.notOk(a.link.settled)
  await agreed([a])
  t.not(a.link.state, 'away')
  t.ok(a.link.settled)
  await leased([a])
  t.ok(performance.now() - from < 500, `${Math.round(performance.now() - from)} ms`)
  t.same(a.changes, ['up'])
})

t.test('a connection that breaks again and again leaves none that is relied on and hears nothing', needsRedis, async t => {
  const redis = await startRedis(t)
  const links = await openTestLinks(t, redis.url, 3)
  const random = seededRandom(3)
  for (let round = 0; round < 60; round++) {
    await redis.client.call('CLIENT', 'KILL', 'TYPE', random.pick(['pubsub', 'pubsub', 'normal']), 'SKIPME', 'yes')
    // Whoever relies on what it heard before has lost that by the time the event is accepted, or has heard of it.
    const [from, to] = [random.pick(links), random.pick(links)]
    const begunAt = to.versions.now
    const slot = to.versions.slotOf(user)
    if (round % 10 === 0) {
      await from.versions.raise(user)
      t.notOk(to.versions.isCurrent(slot, begunAt), 'nothing of before is served')
    }
    // The next break comes at once, or when one is connected, has checked Redis, or is relied on.
    const at = random.pick(links).link
    const [until, isSo] = random.pick<readonly [string, () => boolean]>([
      ['at once', () => true], ['it is connected', () => at.problem === undefined], ['it is up', () => at.up], ['it relies on Redis', () => at.state !== 'away']
    ])
    await eventually(until, isSo)
  }
  await agreed(links)
  await leased(links)
  for (const [i, { versions }] of links.entries()) {
    const before = links.map(({ versions }) => versions.now)
    await versions.raise({ ...user, userId: `user-${i}` })
    await eventually('all have heard', () => links.every(({ versions }, j) => versions.now > before[j]!))
  }
})

t.test('events under load begin no new epoch: a check that is answered late is no sign that Redis lost something', needsRedis, async t => {
  const redis = await startRedis(t)
  const links = await openTestLinks(t, redis.url, 3)
  await leased(links)
  const { epoch } = links[0]!.link
  const until = performance.now() + 1_500
  let events = 0
  await Promise.all(links.map(async ({ versions }) => {
    while (performance.now() < until) {
      await Promise.all(Array.from({ length: 50 }, async () => versions.raise({ ...user, userId: `user-${events++}` })))
    }
  }))
  t.ok(events > 1_000, `${events} events`)
  for (const { link } of links) t.equal(link.epoch, epoch)
})

t.test('connections at which Redis says that it is full: an event is accepted in bounded time, and a new epoch tells of it', needsRedis, async t => {
  const redis = await startRedis(t)
  const [a, b] = await openTestLinks(t, redis.url, 2)
  await leased([a!, b!])
  const { epoch } = a!.link
  await redis.client.config('SET', 'maxmemory', '1')
  const from = performance.now()
  await a!.versions.raise(user)
  const took = performance.now() - from
  t.ok(took >= 1_000 && took < 2_200, `${Math.round(took)} ms: until the beacon must be out`)
  t.equal(a!.link.state, 'away', 'it relies on nothing that others kept without knowing of the event')
  await redis.client.config('SET', 'maxmemory', '0')
  await eventually('a new epoch', () => b!.link.epoch !== epoch)
  await agreed([a!, b!])
  await leased([a!])
})

t.test('an event in the first moments of an outage is accepted once the beacon must be out, and later ones as soon as Redis is seen to be away still', needsRedis, async t => {
  const redis = await startRedis(t)
  const [a, b] = await openTestLinks(t, redis.url, 2)
  await leased([a!, b!])
  await redis.kill()
  await eventually('it is known', () => !a!.link.up)
  const from = performance.now()
  await a!.versions.raise(user)
  t.ok(performance.now() - from > 800)
  t.equal(b!.link.state, 'away')
  for (let i = 0; i < 5; i++) {
    const from = performance.now()
    await a!.versions.raise(user)
    t.ok(performance.now() - from < 300, `${Math.round(performance.now() - from)} ms`)
  }
  t.same(a!.changes, ['up', 'down'])
})

t.test('one whose connections lead nowhere makes new ones within seconds', needsRedis, async t => {
  const redis = await startRedis(t)
  const proxy = await startRedisProxy(t, redis.port)
  const a = openTestLink(t, proxy.url)
  await leased([a])
  const own = await redis.client.client('ID')
  const others = async (): Promise<number[]> => [...String(await redis.client.client('LIST')).matchAll(/^id=(\d+)/gm)].map(([, id]) => Number(id)).filter(id => id !== own)
  const before = await others()
  t.equal(before.length, 2)
  proxy.freeze()
  await eventually('it relies on nothing', () => a.link.state === 'away')
  const from = performance.now()
  await leased([a])
  t.ok(performance.now() - from < 5_000, `${Math.round(performance.now() - from)} ms`)
  t.ok((await others()).filter(id => !before.includes(id)).length >= 2, 'by connections of its own')
  t.same(a.changes, ['up', 'down', 'up'])
})

t.test('closed, it says and holds nothing more', needsRedis, async t => {
  const redis = await startRedis(t)
  await redis.client.ping()
  const held = (): string => process.getActiveResourcesInfo().filter(type => type === 'Timeout' || type === 'TCPSocketWrap').sort().join()
  const before = held()
  const a = openTestLink(t, redis.url)
  await agreed([a])
  await a.link.close()
  await eventually('it holds no timer and no connection', () => held() === before)
  await redis.kill()
  await a.versions.raise(user)
  t.equal(await a.tier.get('key', user), undefined)
  t.same(a.changes, ['up'])
  t.notOk(a.link.up)
  t.equal(a.link.state, 'away')
})
