import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import type { Handler, Peers } from '../../src/connections/peers.ts'
import { nothingOf } from '../../src/targets/target.ts'
import { addTarget, recordingTarget, type RecordingTarget } from '../support/event-targets.ts'
import { startGateway, storeConfig } from '../support/gateway.ts'

/** The values of a metric by its labels. */
async function read (app: FastifyInstance, name: string): Promise<Record<string, number>> {
  const { body } = await app.inject('/metrics')
  const lines = [...body.matchAll(new RegExp(`^${name}\\{namespace="(.*)",target="(.*)"\\} (.*)$`, 'gm'))]
  return Object.fromEntries(lines.map(([, namespace, target, value]) => [`${namespace}/${target}`, Number(value)]))
}

async function send (app: FastifyInstance, count: number): Promise<number> {
  const { statusCode } = await app.inject({ method: 'POST', url: '/events/store', payload: { userId: 'u', eventList: Array(count).fill({ eventType: 'view', itemId: 'tea' }) } })
  return statusCode
}

async function startWith (t: Test, one: RecordingTarget, peers?: Peers): Promise<FastifyInstance> {
  const { app } = await startGateway(t, storeConfig, peers && { peers })
  addTarget(app, 'store', 'one', one)
  return app
}

t.test('it is told what became of events at each target', async t => {
  const one = recordingTarget()
  const app = await startWith(t, one)
  t.equal(await send(app, 3), 200)
  one.answer = async body => ({ ...nothingOf(body, 'no power', { retryable: true }), eventIds: [body.events[0]!.eventId] })
  t.equal(await send(app, 2), 503)
  one.full = true
  t.equal(await send(app, 4), 429)
  t.same(await read(app, 'gateway_events_accepted_total'), { 'store/embedded': 5, 'store/one': 5 })
  t.same(await read(app, 'gateway_events_delivered_total'), { 'store/embedded': 5, 'store/one': 4 })
  t.same(await read(app, 'gateway_events_failed_total'), { 'store/embedded': 0, 'store/one': 1 })
  t.same(await read(app, 'gateway_events_turned_away_total'), { 'store/embedded': 0, 'store/one': 4 })
  app.resources.eventStats.of('store', 'one').retried += 7
  t.same(await read(app, 'gateway_events_retried_total'), { 'store/embedded': 0, 'store/one': 7 })
})

t.test('and what its queues hold', async t => {
  const app = await startWith(t, recordingTarget())
  const { queues } = app.resources.eventStats.of('store', 'one')
  t.same([await read(app, 'gateway_event_queue_depth'), await read(app, 'gateway_event_queue_oldest_seconds')], [{ 'store/one': 0 }, { 'store/one': 0 }])
  queues.add({ depth: 3, oldest: 1_500 }).add({ depth: 4, oldest: 20 })
  t.same([await read(app, 'gateway_event_queue_depth'), await read(app, 'gateway_event_queue_oldest_seconds')], [{ 'store/one': 7 }, { 'store/one': 1.5 }])
  queues.clear()
  t.same([await read(app, 'gateway_event_queue_depth'), await read(app, 'gateway_event_queue_oldest_seconds')], [{ 'store/one': 0 }, { 'store/one': 0 }])
})

t.test('workers are counted together, and the oldest is the oldest of all', async t => {
  const heard = new Map<string, Handler>()
  const worker = await startWith(t, recordingTarget(), { tell: async () => [], on (topic, handle) { heard.set(topic, handle); return () => {} } })
  const app = await startWith(t, recordingTarget(), { tell: async (topic, message) => [await heard.get(topic)?.(message as never)], on: () => () => {} })
  await send(worker, 3)
  await send(app, 4)
  worker.resources.eventStats.of('store', 'one').queues.add({ depth: 3, oldest: 2_000 })
  app.resources.eventStats.of('store', 'one').queues.add({ depth: 4, oldest: 1_000 })
  t.same(await read(app, 'gateway_events_delivered_total'), { 'store/embedded': 7, 'store/one': 7 })
  t.same(await read(app, 'gateway_event_queue_depth'), { 'store/embedded': 0, 'store/one': 7 })
  t.same(await read(app, 'gateway_event_queue_oldest_seconds'), { 'store/embedded': 0, 'store/one': 2 })
})

t.test('no label names a user, a session or an item', async t => {
  const app = await startWith(t, recordingTarget())
  await app.inject({ method: 'POST', url: '/events/store', payload: { userId: 'secret-user', sessionId: 'secret-session', eventList: [{ eventType: 'secret-type', itemId: 'secret-item', eventId: 'secret-event' }] } })
  t.notMatch((await app.inject('/metrics')).body, /secret/)
})
