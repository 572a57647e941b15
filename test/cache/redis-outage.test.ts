import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { buildInstance, sharesAgain, startCountingOrigin, startInstance, type Instance } from '../support/instances.ts'
import { needsRedis, startRedis, type RedisServer } from '../support/redis-server.ts'
import { seededRandom } from '../support/seeded-random.ts'

interface Load {
  failed: string[]
  /** When each request began, and how long it took, in ms. */
  requests: Array<{ at: number, took: number }>
  end: () => Promise<void>
}

/** About 500 requests a second, a tenth of them events, of users who come again and again. */
function startLoad (instances: Instance[], seed: number): Load {
  const random = seededRandom(seed)
  const under = new Set<Promise<void>>()
  const load: Load = {
    failed: [],
    requests: [],
    async end () {
      clearInterval(timer)
      await Promise.all(under)
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
  const timer = setInterval(() => {
    for (let i = 0; i < 5; i++) {
      const sent = send().finally(() => { under.delete(sent) })
      under.add(sent)
    }
  }, 10)
  return load
}

function quantiles ({ requests }: Load, from: number, to: number): { p50: number, p99: number, most: number, count: number } {
  const times = requests.filter(({ at }) => at >= from && at < to).map(({ took }) => took).sort((a, b) => a - b)
  const at = (q: number): number => Math.round((times[Math.floor(q * (times.length - 1))] ?? NaN) * 10) / 10
  return { p50: at(0.5), p99: at(0.99), most: at(1), count: times.length }
}

async function twoInstances (t: Test): Promise<{ a: Instance, b: Instance, redis: RedisServer }> {
  const [origin, redis] = await Promise.all([startCountingOrigin(t), startRedis(t)])
  const [a, b] = await Promise.all([buildInstance(t, origin, redis.url), buildInstance(t, origin, redis.url)])
  await sharesAgain(a, b)
  return { a, b, redis }
}

/** Loads two instances while Redis is away for two seconds, and says what that was like. */
async function rideOut (t: Test, leave: (redis: RedisServer) => unknown, comeBack: (redis: RedisServer) => unknown): Promise<void> {
  const { a, b, redis } = await twoInstances(t)
  const load = startLoad([a, b], 7)
  const began = performance.now()
  await sleep(1_000)
  const left = performance.now()
  await leave(redis)
  await sleep(2_000)
  await comeBack(redis)
  const back = performance.now()
  const away = await sharesAgain(a, b)
  const sharing = performance.now()
  await sleep(500)
  await load.end()
  const before = quantiles(load, began, left)
  const first = quantiles(load, left, left + 1_000)
  const later = quantiles(load, left + 1_000, back)
  const after = quantiles(load, sharing, Infinity)
  for (const [name, { p50, p99, most, count }] of Object.entries({ before, 'first second': first, 'later while away': later, 'in use again': after })) {
    t.comment(`${name}: ${count} requests, p50 ${p50} ms, p99 ${p99} ms, most ${most} ms`)
  }
  t.comment(`in use again after ${away} ms`)
  t.same(load.failed, [])
  const all = quantiles(load, 0, Infinity)
  t.ok(all.count > 1_000, `${all.count} requests`)
  t.ok(all.most < 800, `the slowest took ${all.most} ms`)
  t.ok(later.most < 300, `once it is known to be away, the slowest took ${later.most} ms`)
  t.ok(away < 5_000, `${away} ms`)
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
  for (const state of ['up', 'hanging', 'gone'] as const) {
    const redis = await startRedis(t)
    const gateway = await startInstance(t, origin, redis.url)
    if (state === 'hanging') redis.pause()
    if (state === 'gone') await redis.kill()
    t.equal((await gateway.read('me')).status, 200)
    // Long enough for connections to be given up and made again.
    if (state !== 'up') await sleep(1_300)
    const from = performance.now()
    t.same(await gateway.process.end('SIGTERM'), [0, null])
    t.ok(performance.now() - from < 1_500, `${state}: ${Math.round(performance.now() - from)} ms`)
  }
})
