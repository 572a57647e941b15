import t, { type Test } from 'tap'
import { eventually } from '../support/eventually.ts'
import { startCountingOrigin, startInstance, type CountingOrigin, type Instance } from '../support/instances.ts'
import { startRedisCluster } from '../support/redis-cluster.ts'
import { needsRedis, startRedis, type RedisServer } from '../support/redis-server.ts'
import { seededRandom } from '../support/seeded-random.ts'

const userCount = 1_000
/** Users that are served at once. */
const crowd = 40

interface Shop {
  origin: CountingOrigin
  redis: RedisServer
  instances: RunningInstance[]
}

type RunningInstance = Awaited<ReturnType<typeof startInstance>>

/** Three gateways that share one Redis, and rely on it already. */
async function open (t: Test, persistence: 'none' | 'aof'): Promise<Shop> {
  const [origin, redis] = await Promise.all([startCountingOrigin(t), startRedis(t, { persistence })])
  const instances = await Promise.all([0, 1, 2].map(async () => startInstance(t, origin, redis.url)))
  await settled(instances)
  return { origin, redis, instances }
}

/** Resolves once every instance serves users from its memory. */
async function settled (instances: Instance[]): Promise<void> {
  await Promise.all(instances.map(async (instance, i) => {
    await eventually(`instance ${i} relies on Redis`, async () => (await instance.read(`settling-${i}`)).cacheStatus.includes('gateway-memory; hit'))
  }))
}

interface Tally {
  reads: number
  hits: { memory: number, redis: number }
  events: number
  failed: number
  violations: string[]
}

/**
 * Users come to instances at random: reads, an event with reads at the same time, and reads once it is accepted. None of the
 * last may have been made by a call from before the event.
 */
async function visit (instances: Instance[], seed: number, rounds: number, onVisit: (done: number) => void = () => {}): Promise<Tally> {
  const random = seededRandom(seed)
  const tally: Tally = { reads: 0, hits: { memory: 0, redis: 0 }, events: 0, failed: 0, violations: [] }
  const visits = Array.from({ length: userCount * rounds }, (_, i) => `user-${i % userCount}`)
  for (let i = visits.length - 1; i > 0; i--) {
    const j = random.integer(0, i)
    ;[visits[i], visits[j]] = [visits[j]!, visits[i]!]
  }
  const eventSentAt = new Map<string, number>()

  async function read (user: string): Promise<void> {
    const at = random.integer(0, 2)
    const notBefore = eventSentAt.get(user) ?? 0
    const { status, count, madeAt, cacheStatus } = await instances[at]!.read(user)
    tally.reads++
    if (status !== 200) tally.failed++
    if (cacheStatus.startsWith('gateway-memory')) tally.hits.memory++
    if (cacheStatus.startsWith('gateway-redis')) tally.hits.redis++
    if (madeAt < notBefore) tally.violations.push(`${user} at ${at}: call ${count}, ${Math.round(notBefore - madeAt)} ms before the event; ${cacheStatus}`)
  }

  async function send (user: string): Promise<void> {
    const sentAt = performance.now()
    const status = await instances[random.integer(0, 2)]!.event(user)
    tally.events++
    if (status === 200) eventSentAt.set(user, sentAt)
    else tally.failed++
  }

  let done = 0
  await Promise.all(Array.from({ length: crowd }, async () => {
    for (let user = visits.pop(); user !== undefined; user = visits.pop()) {
      await read(user)
      await read(user)
      await Promise.all([send(user), read(user)])
      await Promise.all([read(user), read(user)])
      onVisit(++done)
    }
  }))
  return tally
}

function say (t: Test, { reads, hits, events, failed, violations }: Tally): void {
  t.comment(`${reads} reads, ${hits.memory} hits from memory, ${hits.redis} from redis, ${events} events, ${failed} failed, ${violations.length} violations`)
}

t.test('instances that share a Redis', needsRedis, async t => {
  const { instances, origin } = await open(t, 'none')

  await t.test('what one made, another has from Redis, until an event of the user at a third', async t => {
    const [a, b, c] = instances as [RunningInstance, RunningInstance, RunningInstance]
    const first = await a.read('sharer')
    t.match(first.cacheStatus, /^gateway; fwd=miss; stored/)
    // Until Redis has it, the second makes its own, and Redis has that.
    const made = [first.madeAt]
    await eventually('it is a hit at the second', async () => {
      const { cacheStatus, madeAt } = await b.read('sharer')
      made.push(madeAt)
      return cacheStatus.startsWith('gateway-')
    })
    const shared = await c.read('sharer')
    t.match(shared.cacheStatus, /^gateway-redis; hit; ttl=\d+$/)
    t.ok(made.includes(shared.madeAt))
    t.equal(await c.event('sharer'), 200)
    for (const instance of instances) t.ok((await instance.read('sharer')).madeAt > Math.max(...made))
  })

  await t.test('none ever serves what was made before an event that any of them has accepted', async t => {
    const before = origin.calls
    const tally = await visit(instances, 20, 1)
    say(t, tally)
    t.same(tally.violations, [])
    t.equal(tally.failed, 0)
    t.ok(tally.hits.memory + tally.hits.redis > tally.reads / 10, 'the cache was of use')
    t.ok(origin.calls - before < tally.reads)
  })
})

t.test('no instance serves what was made before an event where Redis is killed meanwhile and comes back with what it had', needsRedis, async t => {
  const { instances, redis } = await open(t, 'aof')
  let restarted: Promise<void> | undefined
  const outage = async (): Promise<void> => {
    await redis.kill()
    await Promise.all(instances.map(async ({ process: { url } }, i) => eventually(`instance ${i} knows that it is away`, async () => {
      const { redis: { state } } = await (await fetch(`${url}/health/ready`)).json() as { redis: { state: string } }
      return state === 'away'
    })))
    await redis.restart()
  }
  const tally = await visit(instances, 21, 1, done => { if (done >= userCount / 4) restarted ??= outage() })
  await restarted
  say(t, tally)
  t.same(tally.violations, [])
  t.equal(tally.failed, 0)
  await settled(instances)
  const again = await visit(instances, 22, 0.3)
  say(t, again)
  t.same(again.violations, [])
  t.ok(again.hits.redis > 0, 'they share again')
})

t.test('on a cluster of three shards, no instance serves what was made before an event, while listeners are cut', needsRedis, async t => {
  const [origin, cluster] = await Promise.all([startCountingOrigin(t), startRedisCluster(t)])
  const instances = await Promise.all([0, 1, 2].map(async () => startInstance(t, origin, cluster.url)))
  await settled(instances)
  let cuts = 0
  const cutting = setInterval(() => {
    cuts++
    for (const { client } of cluster.nodes) client.call('CLIENT', 'KILL', 'TYPE', 'pubsub').catch(() => {})
  }, 400)
  const tally = await visit(instances, 23, 0.5).finally(() => { clearInterval(cutting) })
  say(t, tally)
  t.ok(cuts > 0)
  t.same(tally.violations, [])
  t.equal(tally.failed, 0)
  t.ok(tally.hits.memory + tally.hits.redis > tally.reads / 10, 'the cache was of use')
})
