import t from 'tap'
import { eventually } from '../support/eventually.ts'
import { buildInstance, sharesAgain, startCountingOrigin } from '../support/instances.ts'
import { startRedisProxy } from '../support/redis-proxy.ts'
import { needsRedis, startRedis } from '../support/redis-server.ts'

t.test('one that was cut off serves nothing of before the events that it missed', needsRedis, async t => {
  const [origin, redis] = await Promise.all([startCountingOrigin(t), startRedis(t)])
  const proxy = await startRedisProxy(t, redis.port)
  const [here, away] = await Promise.all([buildInstance(t, origin, redis.url), buildInstance(t, origin, proxy.url)])
  const users = Array.from({ length: 50 }, (_, i) => `missed-${i}`)
  const link = away.app.cacheParts.redis!
  for (const [how, until, isSo] of [
    ['cut', 'it relies on nothing', () => link.state === 'away'],
    ['stall', 'it relies on nothing', () => link.state === 'away'],
    ['stall', 'it counts Redis as away', () => link.state === 'away' && !link.up]
  ] as const) {
    await sharesAgain(here, away)
    await Promise.all(users.map(async user => here.read(user)))
    t.ok((await Promise.all(users.map(async user => away.read(user)))).every(({ status }) => status === 200))
    const sentAt = performance.now()
    proxy[how]()
    await Promise.all(users.map(async user => here.event(user)))
    await eventually(until, isSo)
    const old: string[] = []
    const look = async (): Promise<void> => {
      for (const { madeAt } of await Promise.all(users.map(async user => away.read(user)))) if (madeAt < sentAt) old.push(`${how} until ${until}`)
    }
    await look()
    proxy.mend()
    const shared = new AbortController()
    const sharing = sharesAgain(here, away).finally(() => { shared.abort() })
    while (!shared.signal.aborted) await look()
    await sharing
    await eventually('it relies on its memory again', async () => {
      await look()
      return link.state === 'leased'
    })
    await look()
    t.same(old, [])
  }
})

t.test('events accepted by one that was cut off outdate what others have, as soon as it is back', needsRedis, async t => {
  const [origin, redis] = await Promise.all([startCountingOrigin(t), startRedis(t)])
  const proxy = await startRedisProxy(t, redis.port)
  const [here, away] = await Promise.all([buildInstance(t, origin, redis.url), buildInstance(t, origin, proxy.url)])
  for (const how of ['cut', 'stall'] as const) {
    await sharesAgain(here, away)
    await here.read('told-late')
    const sentAt = performance.now()
    proxy[how]()
    t.equal(await away.event('told-late'), 200)
    t.ok((await away.read('told-late')).madeAt > sentAt)
    const epoch = here.app.cacheParts.redis!.epoch
    proxy.mend()
    await eventually('the other has heard', () => here.app.cacheParts.redis!.epoch !== epoch)
    t.ok((await here.read('told-late')).madeAt > sentAt)
  }
})
