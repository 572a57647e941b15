import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { request } from 'undici'
import { eventually } from '../support/eventually.ts'
import { buildInstance, sharesAgain, startCountingOrigin, startInstance, type Instance } from '../support/instances.ts'
import { needsRedis, startRedis, type RedisServer } from '../support/redis-server.ts'
import { seededRandom } from '../support/seeded-random.ts'

type BuiltInstance = Awaited<ReturnType<typeof buildInstance>>

interface Load {
  failed: string[]
  /** When each request began, and how long it took, in ms. */
  requests: Array<{ at: number, took: number }>
  end: () => Promise<void>
}

/** So many clients, each of which sends its next request some ms after the last was answered: on a busy machine requests are fewer, and none queue up. */
const clients = 12
const pause = 10

/** Requests of users who come again and again, a tenth of them events. */
function startLoad (instances: Instance[], seed: number): Load {
  const random = seededRandom(seed)
  const ended = new AbortController()
  const load: Load = {
    failed: [],
    requests: [],
    async end () {
      ended.abort()
      await sending
    }
  }
  const send = async (): Promise<void> => {
    const instance = random.pick(instances)
    const userId = `user-${random.integer(1, 300)}`
    const at = performance.now()
    const status = await (random.next() < 0.1 ? instance.event(userId) : instance.read(userId).then(({ status }) => status)).catch(String)
    load.requests.push({ at, took: performance.now() - at })
    if (status !== 200) load.failed.push(String(status))
  }
  const sending = Promise.all(Array.from({ length: clients }, async () => {
    while (!ended.signal.aborted) {
      await send()
      await sleep(pause)
    }
  }))
  return load
}

/** Resolves once so many requests more were answered. */
async function answered (load: Load, count: number): Promise<void> {
  const from = load.requests.length
  await eventually(`${count} requests are answered`, () => load.requests.length >= from + count, 60_000)
}

function quantiles ({ requests }: Load, from: number, to: number): { p50: number, p99: number, most: number, count: number } {
  const times = requests.filter(({ at }) => at >= from && at < to).map(({ took }) => took).sort((a, b) => a - b)
  const at = (q: number): number => Math.round((times[Math.floor(q * (times.length - 1))] ?? NaN) * 10) / 10
  return { p50: at(0.5), p99: at(0.99), most: at(1), count: times.length }
}

async function twoInstances (t: Test): Promise<{ a: BuiltInstance, b: BuiltInstance, redis: RedisServer }> {
  const [origin, redis] = await Promise.all([startCountingOrigin(t), startRedis(t)])
  const [a, b] = await Promise.all([buildInstance(t, origin, redis.url), buildInstance(t, origin, redis.url)])
  await sharesAgain(a, b)
  return { a, b, redis }
}

async function readiness (url: string): Promise<{ redis: { state: string } }> {
  const { body } = await request(`${url}/health/ready`)
  return await body.json() as { redis: { state: string } }
}

/** Loads two instances while Redis is away, from before it leaves until after it is in use again, and says what that was like. */
async function rideOut (t: Test, leave: (redis: RedisServer) => unknown, comeBack: (redis: RedisServer) => unknown): Promise<void> {
  const { a, b, redis } = await twoInstances(t)
  const load = startLoad([a, b], 7)
  const began = performance.now()
  await answered(load, 500)
  const left = performance.now()
  const before = quantiles(load, began, left)
  // A busy machine makes every request slower. The limits are on what the outage adds.
  const usual = 10 * before.p99
  await leave(redis)
  // At first an event waits until its version is written, or until the beacon must be out.
  await eventually('both know, and take events at once again', async () => {
    const from = performance.now()
    await Promise.all([a.event('somebody'), b.event('somebody')])
    return [a, b].every(({ app }) => !app.cacheParts.redis!.up) && performance.now() - from < 300 + usual
  }, 60_000)
  const known = performance.now()
  await answered(load, 500)
  await comeBack(redis)
  const back = performance.now()
  const away = await sharesAgain(a, b)
  const sharing = performance.now()
  await answered(load, 200)
  await load.end()
  const first = quantiles(load, left, known)
  const later = quantiles(load, known, back)
  const after = quantiles(load, sharing, Infinity)
  for (const [name, { p50, p99, most, count }] of Object.entries({ before, 'first moments': first, 'later while away': later, 'in use again': after })) {
    t.comment(`${name}: ${count} requests, p50 ${p50} ms, p99 ${p99} ms, most ${most} ms`)
  }
  t.comment(`in use again after ${away} ms`)
  t.same(load.failed, [])
  const all = quantiles(load, 0, Infinity)
  t.ok(all.count > 1_000, `${all.count} requests`)
  t.ok(all.most < 2_000 + usual, `the slowest took ${all.most} ms: an event is held until the beacon must be out`)
  t.ok(later.p99 < 600 + usual, `once it is known to be away, the slowest took ${later.most} ms, p99 ${later.p99} ms`)
  t.ok(away < 5_000 + usual, `${away} ms`)
}

t.test('Redis killed under load: nothing fails, and it is in use soon after it is back', needsRedis, async t => {
  await rideOut(t, async redis => redis.kill(), async redis => redis.restart())
})

t.test('Redis hanging under load: nothing fails or waits long, and it is in use soon after it goes on', needsRedis, async t => {
  await rideOut(t, redis => redis.pause(), redis => redis.resume())
})

t.test('a gateway that starts before Redis serves, and uses it once it is there', needsRedis, async t => {
  const [origin, redis] = await Promise.all([startCountingOrigin(t), startRedis(t, { started: false })])
  const [a, b] = await Promise.all([buildInstance(t, origin, redis.url), buildInstance(t, origin, redis.url)])
  t.equal((await a.read('early')).status, 200)
  t.equal(await a.event('early'), 200)
  t.equal((await b.read('early')).status, 200)
  await redis.restart()
  t.ok(await sharesAgain(a, b) < 5_000)
})

t.test('a gateway ends in time whatever state Redis is in', needsRedis, async t => {
  const origin = await startCountingOrigin(t)
  let usual = 0
  for (const state of ['up', 'hanging', 'gone'] as const) {
    const redis = await startRedis(t)
    const gateway = await startInstance(t, origin, redis.url)
    if (state === 'hanging') redis.pause()
    if (state === 'gone') await redis.kill()
    t.equal((await gateway.read('me')).status, 200)
    // By then connections are given up and made again.
    if (state !== 'up') await eventually('it is known to be away', async () => (await readiness(gateway.process.url)).redis.state === 'away')
    const from = performance.now()
    t.same(await gateway.process.end('SIGTERM'), [0, null])
    const took = Math.round(performance.now() - from)
    // On a busy machine, every end takes longer.
    if (state === 'up') usual = took
    t.ok(took < 1_500 + 2 * usual, `${state}: ${took} ms; ${usual} ms where Redis is up`)
  }
})
