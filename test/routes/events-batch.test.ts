import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { addTarget, deadTarget, recordingTarget, type RecordingTarget } from '../support/event-targets.ts'
import { startGateway } from '../support/gateway.ts'

const view = { eventType: 'view', itemId: 'tea' }
const bodyOf = (userId: string, ...eventIds: string[]): object => ({ userId, eventList: eventIds.map(eventId => ({ ...view, eventId })) })
const bodiesOf = (count: number, events = 1): object[] => Array.from({ length: count }, (_, i) => ({ userId: `u${i}`, eventList: Array(events).fill(view) }))
const asLines = (bodies: readonly unknown[]): string => bodies.map(body => JSON.stringify(body)).join('\n')
const json = 'application/json'
const ndjson = 'application/x-ndjson'

async function start (t: Test, targets: Record<string, RecordingTarget>): Promise<FastifyInstance> {
  const { app } = await startGateway(t)
  for (const [name, target] of Object.entries(targets)) addTarget(app, 'store', name, target)
  return app
}

interface Answer {
  status: number
  headers: Record<string, unknown>
  body: { results: Array<Record<string, unknown>>, code: string, message: string }
}

async function send (app: FastifyInstance, payload: string | readonly unknown[], contentType = json, namespace = 'store'): Promise<Answer> {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload)
  const { statusCode, headers, body } = await app.inject({ method: 'POST', url: `/events/${namespace}/batch`, payload: text, headers: { 'content-type': contentType } })
  return { status: statusCode, headers, body: JSON.parse(body) as Answer['body'] }
}

t.test('bodies of many users come as a list, or one on each line, and are told of in their order', async t => {
  const one = recordingTarget()
  const app = await start(t, { one })
  const bodies = [bodyOf('a', '1', '2'), bodyOf('b', '3'), bodyOf('a', '4')]
  const delivered = { status: 200, targets: { embedded: 'delivered', one: 'delivered' } }
  const answer = await send(app, bodies)
  t.strictSame([answer.status, answer.body], [200, { results: [delivered, delivered, delivered] }])
  t.match(answer.headers, { 'cache-control': 'no-store', 'x-personalization-config-version': '7', 'x-request-id': String })
  t.strictSame(one.eventIds, ['1', '2', '3', '4'])
  t.strictSame(one.bodies.map(({ userId }) => userId), ['a', 'b', 'a'])

  let n = 0
  for (const type of [ndjson, 'application/ndjson', 'application/jsonl', `${ndjson}; charset=utf-8`]) {
    const lines = `${asLines([bodyOf('a', `5${n}`), bodyOf('b', `6${n}`)])}\r\n\n  \n${JSON.stringify(bodyOf('c', `7${n++}`))}\n`
    t.strictSame((await send(app, lines, type)).body, { results: [delivered, delivered, delivered] }, type)
    t.strictSame(one.events.slice(-3).map(({ userId }) => userId), ['a', 'b', 'c'])
  }
})

t.test('a bad body is told what is wrong with it, and keeps none of the others away', async t => {
  const one = recordingTarget()
  const app = await start(t, { one })
  const bodies = [
    bodyOf('a', '1'),
    { userId: 'b', eventList: [] },
    { userId: 'c', eventList: [{ ...view, sentAt: 'soon' }] },
    'text',
    null,
    { userId: 'd', experimentConversions: [{ recommender: 'nothing', metric: 'm' }], eventList: [view] },
    bodyOf('e', '2')
  ]
  const refused = (message: RegExp): object => ({ status: 400, code: 'InvalidBody', message })
  const expected = [
    { status: 200, targets: { one: 'delivered' } },
    refused(/^body\/eventList: expected a list of 1 to 500 items$/),
    refused(/^body\/eventList\/0\/sentAt: expected/),
    refused(/^body: expected an object/),
    refused(/^body: expected an object/),
    { status: 207, targets: { one: 'delivered' }, refusedConversions: [{ index: 0, message: /^body\/experimentConversions\/0\/recommender: "nothing"/ }] },
    { status: 200, targets: { one: 'delivered' } }
  ]
  t.match(await send(app, bodies), { status: 207, body: { results: expected } })
  t.match(one.eventIds, ['1', String, '2'])
  const lines = `${asLines([bodyOf('a', '3')])}\n{"userId":\n${asLines([{ userId: 'x' }])}\n{"userId":"y","__proto__":{}}\n[]\n${asLines([bodyOf('e', '4')])}`
  t.match(await send(app, lines, ndjson), {
    status: 207,
    body: { results: [{ status: 200 }, refused(/^body: is not JSON/), refused(/^body: expected eventList/), refused(/^body: is not JSON, or holds a key that is not allowed/), refused(/^body: expected an object/), { status: 200 }] }
  })
  t.match(one.eventIds, ['1', String, '2', '3', '4'])
  t.match(await send(app, [null, 1]), { status: 207, body: { results: [{ status: 400 }, { status: 400 }] } }, 'also where none is good')
})

t.test('each body is told which target lacks what of it, and sending those again reaches only that', async t => {
  const [good, dead] = [recordingTarget(), deadTarget()]
  const app = await start(t, { good, dead })
  dead.answer = async body => body.userId === 'a' ? undefined : { reason: 'no power', retryable: body.userId === 'b', eventIds: [body.events[0]!.eventId] }
  const bodies = [bodyOf('a', '1'), bodyOf('b', '2', '3'), bodyOf('c', '4')]
  const first = await send(app, bodies)
  t.equal(first.status, 207)
  t.match(first.body.results, [
    { status: 200, targets: { dead: 'delivered' } },
    { status: 503, code: 'EventsNotDelivered', targets: { good: 'delivered', dead: 'failed: no power' }, missing: { dead: ['2'] }, eventIds: ['2', '3'] },
    { status: 502, code: 'EventsRefused', missing: { dead: ['4'] }, eventIds: ['4'] }
  ])
  dead.answer = async () => undefined
  t.equal((await send(app, bodies)).status, 200)
  t.strictSame(good.eventIds, ['1', '2', '3', '4'])
  t.strictSame(dead.eventIds, ['1', '2', '3', '4', '2', '4'])
})

t.test('an event that several bodies bring counts once', async t => {
  const one = recordingTarget()
  const app = await start(t, { one })
  t.equal((await send(app, [bodyOf('a', '1'), bodyOf('a', '1'), bodyOf('a', '1', '2')])).status, 200)
  t.strictSame(one.eventIds, ['1', '2'])
})

t.test('conversions are not lost in silence', async t => {
  const one = recordingTarget()
  const app = await start(t, { one })
  const experimentConversions = [{ recommender: 'for-you', metric: 'clicks' }]
  const { status, body } = await send(app, [{ userId: 'a', experimentConversions }, { ...bodyOf('b', '1'), experimentConversions }, bodyOf('c', '2')])
  const conversions = 'not counted: no experiment counts them'
  t.equal(status, 200)
  t.strictSame(body.results, [{ status: 200, targets: {}, conversions }, { status: 200, targets: { embedded: 'delivered', one: 'delivered' }, conversions }, { status: 200, targets: { embedded: 'delivered', one: 'delivered' } }])
  t.match(await send(app, [{ userId: 'a', experimentConversions: [{ recommender: 'for-you', metric: 'm', feature: 'none' }] }], json), { status: 207 })
  t.match(await send(app, [{ userId: 'a', experimentConversions }], json, 'mute'), { status: 409 }, 'where there are no targets, nothing is read')
  t.equal(one.bodies.length, 2)
})

t.test('a target that takes no more for now turns the batch away, whole', async t => {
  const [good, full] = [recordingTarget(), recordingTarget()]
  const app = await start(t, { good, full })
  full.full = true
  t.match(await send(app, [null, bodyOf('a', '1')]), { status: 429, headers: { 'retry-after': '1' }, body: { code: 'EventQueueFull' } })
  t.strictSame([good.bodies, full.bodies], [[], []])
})

t.test('a namespace that is not there, or has no targets, takes none', async t => {
  const app = await start(t, {})
  t.match(await send(app, [bodyOf('a', '1')], json, 'nowhere'), { status: 404, body: { code: 'NamespaceNotFound' } })
  t.match(await send(app, [bodyOf('a', '1')], json, 'mute'), { status: 409, body: { code: 'NoEventTargets' } })
})

t.test('a batch has bounds, and who is beyond them is told', async t => {
  const one = recordingTarget()
  const app = await start(t, { one })
  const list = /^body: expected a list of 1 to 500 items$/
  for (const [what, payload, type, status, message] of [
    ['no bodies', '[]', json, 400, list],
    ['no lines', '\n \n', ndjson, 400, list],
    ['nothing', '', json, 400, /^body: expected JSON, got nothing$/],
    ['a body by itself', JSON.stringify(bodyOf('a', '1')), json, 400, list],
    ['no JSON', '[{', json, 400, /^body: is not JSON/],
    ['501 bodies', JSON.stringify(bodiesOf(501)), json, 400, list],
    ['501 lines', asLines(bodiesOf(501)), ndjson, 400, list],
    ['a million lines', '0\n'.repeat(1_000_000), ndjson, 400, list],
    ['5,001 events', JSON.stringify([...bodiesOf(10, 500), ...bodiesOf(1)]), json, 400, /^body: has 5001 events; expected at most 5000 in all$/],
    ['more than 4 MiB', `[${' '.repeat(4 * 1024 * 1024)}]`, json, 413, /^body: expected at most 4 MiB$/],
    ['more than 4 MiB of lines', ' '.repeat(4 * 1024 * 1024 + 1), ndjson, 413, /^body: expected at most 4 MiB$/],
    ['another content type', 'a=b', 'text/csv', 415, /^Content-Type: expected application\/json or application\/x-ndjson or text\/plain$/]
  ] as const) {
    t.match(await send(app, payload, type), { status, headers: { 'cache-control': 'no-store' }, body: { message } }, what)
  }
  t.equal(one.bodies.length, 0)
  for (const [what, payload, type] of [
    ['500 bodies with 5,000 events', JSON.stringify(bodiesOf(500, 10)), json],
    ['500 lines', asLines(bodiesOf(500)), ndjson],
    ['almost 4 MiB', JSON.stringify([...bodiesOf(2), ' '.repeat(4 * 1024 * 1024 - 200)].slice(0, 2)).padEnd(4 * 1024 * 1024), json]
  ] as const) t.equal((await send(app, payload, type)).status, 200, what)
  t.equal(one.bodies.length, 1_002)
})
