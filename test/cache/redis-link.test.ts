import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { eventually } from '../support/eventually.ts'
import { agreed, openTestLink, openTestLinks, trusting } from '../support/redis-link.ts'
import { startRedisProxy } from '../support/redis-proxy.ts'
import { needsRedis, startRedis } from '../support/redis-server.ts'
import { seededRandom } from '../support/seeded-random.ts'

const user = { namespace: 'shop', userId: 'somebody' }

t.test('nothing is relied on at first, since others may be away with events of which nobody has heard', needsRedis, async t => {
  const redis = await startRedis(t)
  const from = performance.now()
  const a = openTestLink(t, redis.url)
  t.notOk(a.link.trusted)
  await agreed([a])
  t.notOk(a.link.trusted)
  await trusting([a])
  t.ok(performance.now() - from >= 1_500)
  t.same(a.changes, ['up'])
})

t.test('a connection that breaks again and again leaves none that is relied on and hears nothing', needsRedis, async t => {
  const redis = await startRedis(t)
  const links = await openTestLinks(t, redis.url, 3)
  const random = seededRandom(3)
  for (let round = 0; round < 60; round++) {
    await redis.client.call('CLIENT', 'KILL', 'TYPE', random.pick(['pubsub', 'pubsub', 'normal']), 'SKIPME', 'yes')
    t.notOk(links.some(({ link }) => link.trusted), 'nothing is relied on')
    await sleep(random.integer(1, 90))
  }
  await agreed(links)
  await trusting(links)
  for (const [i, { versions }] of links.entries()) {
    const before = links.map(({ versions }) => versions.now)
    await versions.raise({ ...user, userId: `user-${i}` })
    await eventually('all have heard', () => links.every(({ versions }, j) => versions.now > before[j]!))
  }
})

t.test('connections at which Redis says that it is full: an event is accepted in bounded time, and a new epoch tells of it', needsRedis, async t => {
  const redis = await startRedis(t)
  const [a, b] = await openTestLinks(t, redis.url, 2)
  await trusting([a!, b!])
  const { epoch } = a!.link
  await redis.client.config('SET', 'maxmemory', '1')
  const from = performance.now()
  await a!.versions.raise(user)
  const took = performance.now() - from
  t.ok(took >= 400 && took < 800, `${Math.round(took)} ms`)
  t.notOk(a!.link.trusted, 'it relies on nothing that others kept without knowing of the event')
  await redis.client.config('SET', 'maxmemory', '0')
  await eventually('a new epoch', () => b!.link.epoch !== epoch)
  await agreed([a!, b!])
  await trusting([a!])
})

t.test('an event in the first moments of an outage is accepted once nobody relies on what was before it, and later ones at once', needsRedis, async t => {
  const redis = await startRedis(t)
  const [a, b] = await openTestLinks(t, redis.url, 2)
  await trusting([a!, b!])
  await redis.kill()
  await eventually('it is known', () => !a!.link.up)
  const from = performance.now()
  await a!.versions.raise(user)
  t.ok(performance.now() - from > 300)
  t.notOk(b!.link.trusted)
  await eventually('it has long been away', async () => {
    const from = performance.now()
    await a!.versions.raise(user)
    return performance.now() - from < 20
  })
  t.same(a!.changes, ['up', 'down'])
})

t.test('one whose connections lead nowhere makes new ones within seconds', needsRedis, async t => {
  const redis = await startRedis(t)
  const proxy = await startRedisProxy(t, redis.port)
  const a = openTestLink(t, proxy.url)
  await trusting([a])
  const own = await redis.client.client('ID')
  const others = async (): Promise<number[]> => [...String(await redis.client.client('LIST')).matchAll(/^id=(\d+)/gm)].map(([, id]) => Number(id)).filter(id => id !== own)
  const before = await others()
  t.equal(before.length, 2)
  proxy.stall()
  await eventually('it relies on nothing', () => !a.link.trusted)
  await sleep(1_200)
  proxy.mend()
  await trusting([a])
  t.ok((await others()).every(id => !before.includes(id)), 'none of the connections of before')
  t.same(a.changes, ['up', 'down', 'up'])
})

t.test('closed, it says and holds nothing more', needsRedis, async t => {
  const redis = await startRedis(t)
  const a = openTestLink(t, redis.url)
  await agreed([a])
  await a.link.close()
  await redis.kill()
  await a.versions.raise(user)
  t.equal(await a.tier.get('key', user), undefined)
  await sleep(200)
  t.same(a.changes, ['up'])
  t.notOk(a.link.up || a.link.trusted)
})
