import t from 'tap'
import type { User } from '../../src/cache/user-versions.ts'
import { eventually } from '../support/eventually.ts'
import { agreed, openTestLink, openTestLinks, testEntry, leased, type TestLink } from '../support/redis-link.ts'
import { startRedisProxy } from '../support/redis-proxy.ts'
import { needsRedis, startRedis } from '../support/redis-server.ts'

const user: User = { namespace: 'shop', userId: 'u' }

async function keep ({ tier }: TestLink, text: string): Promise<void> {
  tier.set('key', user, testEntry(text), (await tier.get('key', user))!.version)
  await eventually('it is kept', async () => (await tier.get('key', user))?.entry !== undefined)
}

/** Whether an instance would serve what was kept, or what it has in memory since then. */
async function serves ({ tier, versions }: TestLink, begunAt: number): Promise<boolean> {
  const inMemory = versions.isCurrent(versions.slotOf(user), begunAt)
  return inMemory || (await tier.get('key', user))?.entry !== undefined
}

t.test('an event is accepted only when the slowest has heard of it', needsRedis, async t => {
  const redis = await startRedis(t)
  const proxy = await startRedisProxy(t, redis.port)
  const [a, slow] = [openTestLink(t, redis.url), openTestLink(t, proxy.url)]
  await agreed([a, slow])
  await leased([a, slow])
  const begunAt = slow.versions.now
  proxy.stall()
  let accepted = false
  const raised = a.versions.raise(user).then(() => { accepted = true })
  await redis.client.ping()
  t.notOk(accepted, 'not yet')
  proxy.mend()
  await raised
  t.notOk(await serves(slow, begunAt))
})

t.test('and one that hears nothing at all holds it up no longer than it relies on what it has heard', needsRedis, async t => {
  const redis = await startRedis(t)
  const proxy = await startRedisProxy(t, redis.port)
  const [a, deaf] = [openTestLink(t, redis.url), openTestLink(t, proxy.url)]
  await agreed([a, deaf])
  await leased([a, deaf])
  const begunAt = deaf.versions.now
  proxy.stall()
  const started = performance.now()
  await a.versions.raise(user)
  t.ok(performance.now() - started < 2_000)
  t.notOk(deaf.versions.isCurrent(deaf.versions.slotOf(user), begunAt))
  t.equal(a.versions.state, 'leased')
  proxy.mend()
})

t.test('a Redis that takes nothing more brings nothing old back', needsRedis, async t => {
  const redis = await startRedis(t)
  const [a, b] = await openTestLinks(t, redis.url, 2) as [TestLink, TestLink]
  await leased([a, b])
  await keep(a, 'before the event')
  const begunAt = b.versions.now
  await redis.client.config('SET', 'maxmemory-policy', 'noeviction')
  await redis.client.config('SET', 'maxmemory', '1mb')
  await a.versions.raise(user)
  const until = performance.now() + 2_500
  while (performance.now() < until) {
    if (await serves(a, -1) || await serves(b, begunAt)) t.fail('something of before the event is served')
    await redis.client.ping()
  }
  await redis.client.config('SET', 'maxmemory', '0')
  await leased([a, b])
  await agreed([a, b])
  t.notOk(await serves(a, -1) || await serves(b, begunAt), 'nor when it takes something again')
})

t.test('an event that only one knew of, which is no more, is not forgotten', needsRedis, async t => {
  const redis = await startRedis(t)
  const [a, b] = await openTestLinks(t, redis.url, 2) as [TestLink, TestLink]
  await leased([a, b])
  await keep(a, 'before the event')
  const begunAt = b.versions.now
  redis.pause()
  await eventually('both have noticed', () => !a.link.up && !b.link.up)
  await a.versions.raise(user)
  await a.link.close()
  redis.resume()
  await leased([b])
  t.notOk(await serves(b, begunAt))
})

t.test('where there never was a Redis, it is said once', needsRedis, async t => {
  const redis = await startRedis(t)
  await redis.kill()
  const { changes } = openTestLink(t, redis.url)
  await eventually('it is said', () => changes.length > 0)
  t.strictSame(changes, ['down'])
})
