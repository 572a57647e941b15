import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { Agent, request } from 'undici'
import { createHolder } from '../../../src/connections/scope.ts'
import { openQueued } from '../../../src/targets/queued/queued.ts'
import { streamKeysOf } from '../../../src/targets/queued/stream.ts'
import { eventually } from '../../support/eventually.ts'
import { startGateway } from '../../support/gateway.ts'
import { needsRedis, startRedis } from '../../support/redis-server.ts'
import { finished, run, startServer } from '../../support/server-process.ts'
import { recordsOf, startWebhookReceiver, type WebhookReceiver } from '../../support/webhook-receiver.ts'

const configOf = (url: string): object => ({ namespaces: { shop: { recommenders: {}, eventTargets: [{ type: 'http', url, delivery: 'queued' }] } } })
const keys = streamKeysOf('shop', 'http')

/** A directory with a configuration in it. */
function prepare (t: Test, url: string): { dataDir: string, configFile: string } {
  const dataDir = t.testdir({ 'config.json': JSON.stringify(configOf(url)) })
  return { dataDir, configFile: join(dataDir, 'config.json') }
}

/** The events that came, in their order, as often as they came. */
function eventIdsOf ({ calls }: WebhookReceiver): string[] {
  return calls.flatMap(recordsOf).flatMap(({ body }) => body.eventList ?? []).map(({ eventId }) => String(eventId))
}

/** A gateway that delivers what waits for the target, and takes over from one that is gone within a second: by itself it does so in 30. */
async function startHeir (t: Test, url: string, redisUrl: string): Promise<FastifyInstance> {
  const { app } = await startGateway(t, { namespaces: { shop: { recommenders: {}, eventTargets: [{ type: 'http', url }] } } }, { redisUrl })
  const { scopeOf, release } = createHolder(app.resources)
  t.teardown(release)
  const inner = app.config.plan.namespaces.get('shop')!.eventTargets.get('http')!
  await openQueued(inner, {}, { ...scopeOf('shop'), target: 'http' }, { goneAfter: 1_000, searchEvery: 100, watchEvery: 50 })
  return app
}

t.test('callers hear that their events are queued; with Redis away, that they are not, and where', needsRedis, async t => {
  const redis = await startRedis(t)
  const webhook = await startWebhookReceiver(t, null)
  const { app } = await startGateway(t, configOf(webhook.url), { redisUrl: redis.url })
  const send = async (eventId: string) => app.inject({ method: 'POST', url: '/events/shop', headers: { authorization: 'Bearer secret' }, payload: { userId: 'u', eventList: [{ eventId, eventType: 'view' }] } })
  const { statusCode, body } = await send('a')
  t.equal(statusCode, 200)
  t.strictSame(JSON.parse(body), { targets: { http: 'queued' } })
  await eventually('it arrives', () => eventIdsOf(webhook).includes('a'))
  await redis.kill()
  const refused = await send('b')
  t.equal(refused.statusCode, 503)
  t.match(refused.json(), { code: 'EventsNotDelivered', targets: { http: 'failed: Redis did not confirm them' }, missing: { http: ['b'] } })
  await redis.restart()
  await eventually('it takes them again', async () => (await send('b')).statusCode === 200)
  await eventually('it arrives', () => eventIdsOf(webhook).includes('b'))
  t.equal(eventIdsOf(webhook).filter(id => id === 'a').length, 1)
})

t.test('who asks to queue without a Redis is told so when the configuration is loaded, and only then', async t => {
  const { dataDir, configFile } = prepare(t, 'http://127.0.0.1:9/')
  const started = await finished(run('server.js', [], { PORT: '0', HOST: '127.0.0.1', DATA_DIR: dataDir, CONFIG_FILE: configFile }))
  t.equal(started.code, 1)
  t.match(started.output, /^an event target of the configuration needs Redis; expected its address in REDIS_URL$/m)
  const validated = await finished(run('cli.js', ['config', 'validate', configFile], {}))
  t.equal(validated.code, 0, validated.output)
})

t.test('killed in the middle of it, no event is lost that was answered for, and only what was not acknowledged comes twice', { ...needsRedis, timeout: 240_000 }, async t => {
  const redis = await startRedis(t, { persistence: 'aof' })
  const webhook = await startWebhookReceiver(t, null)
  // Some calls are answered and then none, so that it is killed with calls under way and more that waits, however fast the machine is.
  webhook.answer(() => response => { if (webhook.calls.length <= 60) response.writeHead(204).end() })
  const { dataDir, configFile } = prepare(t, webhook.url)
  const environment = { DATA_DIR: dataDir, CONFIG_FILE: configFile, REDIS_URL: redis.url, ACCESS_LOG: 'errors' }
  const server = await startServer(t, environment)
  const dispatcher = new Agent({ connections: 32 })
  t.teardown(async () => dispatcher.destroy())
  const answered: string[] = []
  const ended = new AbortController()

  async function send (client: number): Promise<void> {
    for (let i = 0; !ended.signal.aborted; i++) {
      const eventList = [0, 1, 2].map(n => ({ eventId: `e-${client}-${i}-${n}`, eventType: 'view' }))
      try {
        const { statusCode, body } = await request(`${server.url}/events/shop`, { dispatcher, method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ userId: `user-${client}`, eventList }) })
        await body.dump()
        if (statusCode === 200) answered.push(...eventList.map(({ eventId }) => eventId))
      } catch {
        return
      }
    }
  }

  const clients = Array.from({ length: 32 }, async (_, client) => send(client))
  await eventually('much has been accepted, some has arrived, and some waits', async () => answered.length > 900 && webhook.calls.length > 50 && await redis.client.xlen(keys.waiting) > 100, 60_000)
  await server.end('SIGKILL')
  ended.abort()
  await Promise.all(clients)
  const left = await redis.client.xrange(keys.waiting, '-', '+')
  const inHand = await redis.client.xpending(keys.waiting, 'gateway', '-', '+', 10_000)
  const unacknowledged = new Set(left.flatMap(([, [, text]]) => (JSON.parse(text!) as { events: Array<{ eventId: string }> }).events.map(({ eventId }) => eventId)))
  t.ok(left.length > 0, 'in the middle of it')
  const before = eventIdsOf(webhook).length
  webhook.answer(() => 204)
  const heir = await startHeir(t, webhook.url, redis.url)
  await eventually('nothing waits any more', async () => await redis.client.xlen(keys.waiting) === 0, 80_000)
  const arrived = new Set(eventIdsOf(webhook))
  t.strictSame(answered.filter(id => !arrived.has(id)), [], 'each that was answered for is there')
  const seen = new Set<string>()
  const twice = eventIdsOf(webhook).filter(id => seen.has(id) || !seen.add(id))
  t.strictSame(twice.filter(id => !unacknowledged.has(id)), [])
  t.equal(await redis.client.xlen(keys.dead), 0)
  t.match((await heir.inject('/metrics')).body, new RegExp(`^gateway_events_redelivered_total\\{namespace="shop",target="http"\\} ${3 * inHand.length}$`, 'm'), 'what may be there twice is counted')
  t.comment(`${answered.length} answered, ${before} arrived before, ${unacknowledged.size} not acknowledged, ${twice.length} came twice`)
})
