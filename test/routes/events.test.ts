import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { nothingOf } from '../../src/targets/target.ts'
import { addTarget, deadTarget, recordingTarget, type RecordingTarget } from '../support/event-targets.ts'
import { sendEvents, startGateway } from '../support/gateway.ts'

const view = { eventType: 'view', itemId: 'tea' }

/** A gateway whose namespace `store` has these targets beside the embedded recommender. */
async function startWith (t: Test, targets: Record<string, RecordingTarget>): Promise<FastifyInstance> {
  const { app } = await startGateway(t)
  for (const [name, target] of Object.entries(targets)) addTarget(app, 'store', name, target)
  return app
}

async function send (app: FastifyInstance, payload: object, headers: Record<string, string> = {}) {
  const { statusCode, headers: answered, body } = await app.inject({ method: 'POST', url: '/events/store?page=home', headers, payload })
  return { status: statusCode, headers: answered, body: JSON.parse(body) as { targets: Record<string, string>, missing: Record<string, string[]>, eventIds: string[] } }
}

t.test('conversions are not lost in silence', async t => {
  const { app } = await startGateway(t)
  const conversion = { recommender: 'for-you', metric: 'clicks' }
  const { statusCode, body } = await app.inject({ method: 'POST', url: '/events/store', payload: { userId: 'me', experimentConversions: [conversion] } })
  t.equal(statusCode, 200)
  t.same(JSON.parse(body), { targets: {}, conversions: 'not counted: no experiment counts them' })
})

t.test('events with an id that was sent before count once, and are acknowledged again', async t => {
  const { app } = await startGateway(t)
  const ratings = async (): Promise<unknown> => (await app.inject('/recommend-items/store/for-you/nobody')).json()
  const event = { eventType: 'purchase', itemId: 'cup', eventId: 'once' }
  await sendEvents(t, app, 'a', ['tea', 'tea'])
  await sendEvents(t, app, 'b', [], { eventList: [event, event] })
  const before = await ratings()
  await sendEvents(t, app, 'b', [], { eventList: [event] })
  t.same(await ratings(), before)
})

t.test('an answer names its configuration and its request, and nobody keeps it', async t => {
  const app = await startWith(t, {})
  for (const [payload, status] of [[{ userId: 'me', eventList: [view] }, 200], [{ userId: 'me' }, 400]] as const) {
    const answer = await send(app, payload, { 'x-request-id': 'mine' })
    t.match(answer, { status, headers: { 'cache-control': 'no-store', 'x-request-id': 'mine', 'content-type': /^application\/json/ } })
    if (status === 200) t.equal(answer.headers['x-personalization-config-version'], '7')
  }
})

t.test('targets are told of the request, without what would let somebody act in its name', async t => {
  const one = recordingTarget()
  const app = await startWith(t, { one })
  const secrets = { authorization: 'Bearer secret', cookie: 'session=secret', 'x-api-key': 'secret', 'proxy-authorization': 'secret' }
  await send(app, { userId: 'me', eventList: [view] }, { ...secrets, 'user-agent': 'a browser' })
  t.match(one.bodies[0]!.broughtBy, { path: '/events/store', headers: { 'user-agent': 'a browser' }, query: { page: 'home' } })
  t.notMatch(JSON.stringify(one.bodies), /secret/)
})

t.test('one target dead: the others have everything, the answer names it, and sending again reaches only it', async t => {
  const [good, dead] = [recordingTarget(), deadTarget('it does not answer')]
  const app = await startWith(t, { good, dead })
  const eventList = [{ ...view, eventId: 'mine' }, view, view]
  const first = await send(app, { userId: 'me', eventList })
  t.match(first, { status: 503, headers: { 'retry-after': '1' }, body: { code: 'EventsNotDelivered', targets: { embedded: 'delivered', good: 'delivered', dead: 'failed: it does not answer' } } })
  const { eventIds } = first.body
  t.strictSame(eventIds, good.eventIds)
  t.strictSame(first.body.missing, { dead: eventIds })

  const again = { userId: 'me', eventList: eventIds.map(eventId => ({ ...view, eventId })) }
  t.match(await send(app, again), { status: 503, body: { eventIds, missing: { dead: eventIds } } })
  dead.answer = async body => ({ ...nothingOf(body, 'too fast', { retryable: true }), eventIds: [eventIds[1]!] })
  t.match(await send(app, again), { status: 503, body: { missing: { dead: [eventIds[1]] } } })
  dead.answer = async () => undefined
  t.strictSame((await send(app, again)).body, { targets: { embedded: 'delivered', good: 'delivered', dead: 'delivered' } })
  t.strictSame(dead.bodies.map(({ events }) => events.length), [3, 3, 3, 1], 'the last time what it lacked')
  t.strictSame(good.eventIds, eventIds, 'and the other nothing')
})

t.test('what a target refuses for good is not to be sent again', async t => {
  const app = await startWith(t, { strict: deadTarget('it refuses them', false) })
  const { status, headers, body } = await send(app, { userId: 'me', eventList: [view] })
  t.match({ status, body }, { status: 502, body: { code: 'EventsRefused', targets: { embedded: 'delivered', strict: 'failed: it refuses them' } } })
  t.notOk('retry-after' in headers)
})

t.test('a target that takes no more for now is said to, and when to come back', async t => {
  const [good, full] = [recordingTarget(), recordingTarget()]
  const app = await startWith(t, { good, full })
  full.full = true
  t.match(await send(app, { userId: 'me', eventList: [view] }), { status: 429, headers: { 'retry-after': '1' }, body: { type: 'Overload', code: 'EventQueueFull', message: /^"full" does not take/ } })
  t.strictSame([good.bodies, full.bodies], [[], []])
})

t.test('events of one user arrive in the order of their requests', async t => {
  const one = recordingTarget()
  const app = await startWith(t, { one })
  const eventIds = Array.from({ length: 100 }, (_, i) => `e${i}`)
  await Promise.all(eventIds.map(async eventId => send(app, { userId: 'me', eventList: [{ ...view, eventId }] })))
  t.strictSame(one.eventIds, eventIds)
})
