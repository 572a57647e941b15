import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import t, { type Test } from 'tap'
import { addTarget, recordingTarget } from '../support/event-targets.ts'
import { startAws } from '../support/aws.ts'
import { startGateway, storeConfig } from '../support/gateway.ts'

/** The store, with a dataset of users. */
async function startStore (t: Test): Promise<FastifyInstance> {
  await startAws(t)
  const tracker = { type: 'personalize-event-tracker', trackingId: 'tracker', usersDatasetArn: 'arn:aws:personalize:us-east-1:123456789012:dataset/shop/USERS' }
  const { store } = storeConfig.namespaces
  const { app } = await startGateway(t, { ...storeConfig, namespaces: { store: { ...store, eventTargets: [{ type: 'embedded' }, tracker] } } })
  return app
}

const post = async (app: FastifyInstance, url: string, payload: string): Promise<LightMyRequestResponse> =>
  app.inject({ method: 'POST', url, payload, headers: { 'content-type': 'application/json' } })

/** Integers, and the ids that they are. */
const ids: Array<[string, string]> = [['4711', '4711'], ['0', '0'], ['-7', '-7'], ['9007199254740991', '9007199254740991'], ['-9007199254740991', '-9007199254740991']]

/** JSON values that are no ids. */
const wrong = ['1.5', '9007199254740992', '9007199254740993', '15793596764604417', '-9007199254740992', '1e300', '1e999', 'true', 'null', '[1]', '{}', '""']

t.test('ids that are JSON numbers are taken as the text of their digits, in events', async t => {
  const { app } = await startGateway(t)
  const recording = recordingTarget()
  addTarget(app, 'store', 'recording', recording)
  for (const [number, id] of ids) {
    const body = `{"userId":${number},"sessionId":${number},"eventList":[{"eventType":"view","itemId":${number},"eventId":${number},"impression":["a",${number}]}]}`
    for (const [url, payload] of [['/events/store', body], ['/events/store/batch', `[${body.replace('"eventId"', '"eventType":"view","eventId"')}]`]] as const) {
      const before = recording.bodies.length
      const answer = await post(app, url, payload)
      // The second is a repetition, of which a target is not told again.
      t.equal(answer.statusCode, 200, answer.body)
      if (url === '/events/store') t.match(recording.bodies.slice(before), [{ userId: id, sessionId: id, events: [{ userId: id, sessionId: id, itemId: id, eventId: id, impression: ['a', id] }] }], id)
    }
  }
})

t.test('ids that are JSON numbers are taken as the text of their digits, in reranks, items and users', async t => {
  const app = await startStore(t)
  for (const [number, id] of ids) {
    const ranked = await post(app, '/rerank-items/store/ranking/me', `[${number}]`)
    t.match(ranked.json(), { personalizedRanking: [{ itemId: id }] }, ranked.body)
    const put = await post(app, '/items/store', `{"items":[{"itemId":${number},"properties":{"name":"n"}}]}`)
    t.equal(put.statusCode, 200, put.body)
    t.match((await post(app, '/rerank-items/store/ranking/me', `["${id}"]`)).json(), { personalizedRanking: [{ itemId: id, metadata: { name: 'n' } }] })
    const user = await post(app, '/users/store', `{"users":[{"userId":${number}}]}`)
    t.equal(user.statusCode, 200, user.body)
  }
})

t.test('a number whose digits are not an exact integer is no id: 400 that says to send text', async t => {
  const app = await startStore(t)
  const recording = recordingTarget()
  addTarget(app, 'store', 'recording', recording)
  const bodies: Array<[string, string, (number: string) => string]> = [
    ['/events/store', 'body/userId', number => `{"userId":${number},"eventList":[{"eventType":"view"}]}`],
    ['/events/store', 'body/sessionId', number => `{"sessionId":${number},"eventList":[{"eventType":"view"}]}`],
    ['/events/store', 'body/eventList/0/itemId', number => `{"userId":"u","eventList":[{"eventType":"view","itemId":${number}}]}`],
    ['/events/store', 'body/eventList/0/eventId', number => `{"userId":"u","eventList":[{"eventType":"view","eventId":${number}}]}`],
    ['/events/store', 'body/eventList/0/impression/1', number => `{"userId":"u","eventList":[{"eventType":"view","impression":["a",${number}]}]}`],
    ['/rerank-items/store/ranking/me', 'body/1', number => `["a",${number}]`],
    ['/items/store', 'body/items/0/itemId', number => `{"items":[{"itemId":${number}}]}`],
    ['/users/store', 'body/users/0/userId', number => `{"users":[{"userId":${number}}]}`]
  ]
  for (const [url, place, body] of bodies) {
    for (const number of wrong) {
      const answer = await post(app, url, body(number))
      t.equal(answer.statusCode, 400, `${url} ${number}: ${answer.body}`)
      const { message } = answer.json<{ message: string }>()
      t.ok(message.startsWith(`${place}: expected a string of 1 to 256 characters`), message)
      t.match(message, /send any other number as text$/)
    }
  }
  t.equal(recording.bodies.length, 0)
})

t.test('an integer that is not written in digits, such as 4711.0 or 1e3, is no id: 400 that says to send text, in every body', async t => {
  const app = await startStore(t)
  const recording = recordingTarget()
  addTarget(app, 'store', 'recording', recording)
  const places: Array<[string, string, (number: string) => string]> = [
    ['/events/store', 'body/userId', number => `{"userId":${number},"eventList":[{"eventType":"view"}]}`],
    ['/events/store', 'body/userId', number => `{"userId":1e3,"userId":${number},"eventList":[{"eventType":"view"}]}`],
    ['/events/store', 'body/sessionId', number => `{"sessionId": ${number} ,"eventList":[{"eventType":"view"}]}`],
    ['/events/store', 'body/eventList/0/itemId', number => `{"userId":"u","eventList":[{"eventType":"view","itemId":${number}}]}`],
    ['/events/store', 'body/eventList/0/eventId', number => `{"userId":"u","eventList":[{"eventType":"view","eventId":${number}}]}`],
    ['/events/store', 'body/eventList/0/impression/1', number => `{"userId":"u","eventList":[{"eventType":"view","impression":[7,${number}]}]}`],
    ['/rerank-items/store/ranking/me', 'body/1', number => `["a",${number}]`],
    ['/items/store', 'body/items/0/itemId', number => `{"items":[{"itemId":${number}}]}`],
    ['/users/store', 'body/users/0/userId', number => `{"users":[{"userId":${number}}]}`]
  ]
  for (const number of ['4711.0', '1e3', '1E3', '10e-1', '0.0', '-0.0', '0e0', '-0e7', '47.11e2', '1.0000000000000000001', '9007199254740991.0']) {
    for (const [url, place, body] of places) {
      const answer = await post(app, url, body(number))
      t.equal(answer.statusCode, 400, `${url} ${body(number)}: ${answer.body}`)
      const { message } = answer.json<{ message: string }>()
      t.ok(message.startsWith(`${place}: expected a string of 1 to 256 characters`), message)
      t.match(message, /send any other number as text$/)
      if (url !== '/events/store') continue
      const batch = await post(app, '/events/store/batch', `[${body(number)},{"userId":"good","eventList":[{"eventType":"view"}]}]`)
      t.match(batch.json(), { results: [{ status: 400, code: 'InvalidBody', message: `${place}: expected a string of 1 to 256 characters` }, { status: 200 }] }, batch.body)
    }
  }
  t.ok(recording.bodies.every(({ userId }) => userId === 'good'))
})

t.test('an integer in digits is the text of these digits, also -0, and after a repeated key; other numbers may be written in any way', async t => {
  const app = await startStore(t)
  const recording = recordingTarget()
  addTarget(app, 'store', 'recording', recording)
  const sent = await post(app, '/events/store', '{"userId":1e3,"userId":-0,"sessionId":4711.0,"sessionId":4711,"eventList":[{"eventType":"view","eventValue":1e3,"sentAt":1.79e9,"itemId":12,"more":1.0}]}')
  t.equal(sent.statusCode, 200, sent.body)
  t.match(recording.bodies, [{ userId: '-0', sessionId: '4711', events: [{ itemId: '12', eventValue: 1000 }] }])
})
