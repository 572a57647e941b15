import { createServer, type Server } from 'node:http'
import t, { type Test } from 'tap'
import { Agent, request } from 'undici'
import { eventually } from '../support/eventually.ts'
import { startInstance, type CountingOrigin, type Instance } from '../support/instances.ts'
import { listen } from '../support/listen.ts'
import { needsRedis, startRedis } from '../support/redis-server.ts'
import type { ServerProcess } from '../support/server-process.ts'

/** A provider that takes 20 ms. */
async function startSlowOrigin (t: Test): Promise<CountingOrigin> {
  let calls = 0
  const server: Server = createServer((_request, response) => {
    calls++
    setTimeout(() => { response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ itemList: [{ itemId: `1/${performance.now()}` }] })) }, 20)
  })
  const url = await listen(t, server)
  return { url, get calls () { return calls } }
}

/** A thousand identical requests at once. @returns how many were answered with each status */
async function burst (t: Test, { process }: { process: ServerProcess }, user: string): Promise<Record<number, number>> {
  const dispatcher = new Agent({ connections: 1_000 })
  t.teardown(async () => dispatcher.destroy())
  const statuses: Record<number, number> = {}
  await Promise.all(Array.from({ length: 1_000 }, async () => {
    const { statusCode, body } = await request(`${process.url}/recommend-items/shop/home/${user}`, { dispatcher })
    await body.dump()
    statuses[statusCode] = (statuses[statusCode] ?? 0) + 1
  }))
  return statuses
}

async function isHit (instance: Instance, user: string): Promise<boolean> {
  return (await instance.read(user)).cacheStatus.includes('gateway-memory; hit')
}

t.test('a thousand identical requests make at most two calls: at a cold start, and in an outage of Redis', needsRedis, async t => {
  const [origin, redis] = await Promise.all([startSlowOrigin(t), startRedis(t)])
  const instance = await startInstance(t, origin, redis.url)
  t.strictSame(await burst(t, instance, 'cold'), { 200: 1_000 })
  t.ok(origin.calls <= 2, `${origin.calls} calls the moment it is ready`)

  await redis.kill()
  await eventually('it is known to be away', async () => {
    const { body } = await request(`${instance.process.url}/health/ready`)
    return (await body.json() as { redis: { state: string } }).redis.state === 'away'
  })
  const before = origin.calls
  const began = performance.now()
  t.strictSame(await burst(t, instance, 'away'), { 200: 1_000 })
  // Requests that come within a quarter of a second share the next call. A machine that is busy takes longer to send them all.
  const quarters = Math.ceil((performance.now() - began) / 250)
  t.ok(origin.calls - before <= 1 + quarters, `${origin.calls - before} calls in an outage, in ${quarters} × 250 ms`)
})

t.test('after a pause of the process, hits go on', needsRedis, async t => {
  const [origin, redis] = await Promise.all([startSlowOrigin(t), startRedis(t)])
  const instance = await startInstance(t, origin, redis.url)
  await eventually('it answers from memory', async () => isHit(instance, 'somebody'))
  const before = origin.calls
  // Redis tells how long the instance has been stopped: the beacon lives for a second after its last check, and its lease for less.
  for (const left of [800, 550, 250]) {
    instance.process.child.kill('SIGSTOP')
    await eventually(`its beacon has ${left} ms left`, async () => await redis.client.pttl('personalization:{link}:beacon') <= left)
    instance.process.child.kill('SIGCONT')
    const hits = await Promise.all(Array.from({ length: 50 }, async () => isHit(instance, 'somebody')))
    t.ok(hits.every(Boolean), `with ${left} ms left`)
  }
  t.equal(origin.calls, before)
})

t.test('a gateway is ready once Redis answers, and without Redis after two seconds, with the reason', needsRedis, async t => {
  const origin = await startSlowOrigin(t)
  const redis = await startRedis(t)
  const ready = async ({ process }: { process: ServerProcess }): Promise<{ status: string, redis: { state: string, problem?: string } }> => {
    const { body } = await request(`${process.url}/health/ready`)
    return await body.json() as never
  }
  const linked = await startInstance(t, origin, redis.url)
  const { status, redis: link } = await ready(linked)
  t.equal(status, 'ready')
  t.match(link.state, /^(linked|leased)$/)
  await redis.kill()
  const from = performance.now()
  const away = await startInstance(t, origin, redis.url)
  t.ok(performance.now() - from > 1_900)
  t.match(await ready(away), { status: 'degraded', redis: { state: 'away', problem: 'ECONNREFUSED' } })
})
