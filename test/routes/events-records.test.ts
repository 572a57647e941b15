import t, { type Test } from 'tap'
import { startGateway, storeConfig } from '../support/gateway.ts'
import type { EventRecord } from '../support/event-records.ts'
import { startWebhookReceiver } from '../support/webhook-receiver.ts'

type Answer = { status: number, body: Record<string, unknown> }

/** Starts a gateway whose namespace has a webhook beside the embedded recommender. @returns also the bodies of the records that it got */
async function start (t: Test, autoContext: object = {}): Promise<{ send: (body: object | string, path?: string) => Promise<Answer>, records: () => Array<EventRecord['body'] & Record<string, unknown>> }> {
  const receiver = await startWebhookReceiver(t, null)
  const { store } = storeConfig.namespaces
  const recommenders = { ...store.recommenders, 'related-items': { similar: { variations: { sessions: { type: 'embedded' } }, experiments: { page: { method: 'evidently', project: 'p', metrics: { clicks: { entityIdKey: 'userId', valueKey: 'n' } } } } } } }
  const { app } = await startGateway(t, { ...storeConfig, autoContext, namespaces: { store: { ...store, recommenders, eventTargets: [{ type: 'embedded' }, { type: 'http', url: receiver.url }] } } })
  return {
    async send (payload, path = '/events/store') {
      const { statusCode, body } = await app.inject({ method: 'POST', url: path, headers: { 'content-type': 'application/json', 'cloudfront-viewer-metro-code': '501', 'x-age': '042' }, payload })
      return { status: statusCode, body: JSON.parse(body) as Answer['body'] }
    },
    records: () => receiver.records().map(({ body }) => body)
  }
}

const view = { eventType: 'view', itemId: 'tea' }

t.test('a body of conversions alone goes to the record target, with a metric that was left out', async t => {
  const { send, records } = await start(t)
  t.strictSame(await send({ userId: 'u', experimentConversions: [{ recommender: 'similar', feature: 'page' }], eventList: [] }), { status: 200, body: { targets: { http: 'delivered' }, conversions: 'counted' } })
  t.strictSame(records(), [{ userId: 'u', experimentConversions: [{ recommender: 'similar', feature: 'page', metric: 'clicks' }] }])
  const results = [{ status: 200, targets: { http: 'delivered' }, conversions: 'counted' }, { status: 400, code: 'InvalidBody', message: 'body/experimentConversions/0/metric: "sales" is not a metric of an experiment of "similar"' }]
  const bodies = ['clicks', 'sales'].map(metric => ({ userId: 'u', experimentConversions: [{ recommender: 'similar', metric }] }))
  t.strictSame(await send(bodies, '/events/store/batch'), { status: 207, body: { results } })
})

t.test('a wrong conversion is told with 207, and the events beside it arrive', async t => {
  const { send, records } = await start(t)
  t.strictSame(await send({ userId: 'u', eventList: [view], experimentConversions: [{ recommender: 'none', metric: 'm' }, { recommender: 'for-you', metric: 'm' }] }), {
    status: 207,
    body: {
      targets: { embedded: 'delivered', http: 'delivered' },
      conversions: 'not counted: no experiment counts them',
      refusedConversions: [{ index: 0, message: 'body/experimentConversions/0/recommender: "none" is not in the configuration' }]
    }
  })
  t.match(records(), [{ eventList: [view], experimentConversions: [{ recommender: 'for-you', metric: 'm' }] }])
})

t.test('further members of a body and of an event are in its record, a trackingId is not', async t => {
  const { send, records } = await start(t)
  const body = { trackingId: 'theirs', userId: 'u', sessionId: 's', device: { os: 'x' }, eventList: [{ ...view, price: 9.5, tags: ['a'] }] }
  t.match(await send(body), { status: 200 })
  const { trackingId, ...rest } = body
  t.match(records(), [rest])
  t.notOk('trackingId' in records()[0]!)
  t.match(await send({ userId: 'u', eventList: [{ ...view, itemId: 5.5 }] }), { status: 400, body: { message: /^body\/eventList\/0\/itemId: expected a string/ } }, 'members that the gateway knows are validated still')
})

t.test('a defaulted sentAt is in whole seconds, one from the future, too', async t => {
  const { send, records } = await start(t)
  const before = Math.floor(Date.now() / 1000)
  await send({ userId: 'u', eventList: [view, { ...view, sentAt: Date.now() / 1000 + 1e6 }, { ...view, sentAt: 1_700_000_000.25 }] })
  const times = records()[0]!.eventList!.map(({ sentAt }) => sentAt)
  t.strictSame(times.map(Number.isInteger), [true, true, false])
  t.ok(times[0]! >= before && times[1]! >= before)
  t.equal(times[2], 1_700_000_000.25)
})

t.test('derived properties have the type that their field declares', async t => {
  const metro = { type: 'header-value', header: 'cloudfront-viewer-metro-code' }
  const age = { type: 'header-value', header: 'x-age' }
  const field = (type: string, ...rules: object[]): object => ({ type, evaluateAll: true, rules })
  const { send, records } = await start(t, { text: field('string', metro), integer: field('integer', metro), float: field('float', age), padded: field('integer', age), both: field('integer', metro, age), texts: field('string', metro, age) })
  t.match(await send({ userId: 'u', eventList: [view] }), { status: 200 })
  const { properties } = records()[0]!.eventList![0] as unknown as { properties: string }
  t.strictSame(JSON.parse(properties), { text: '501', integer: 501, float: 42, padded: 42, both: '501|042', texts: '501|042' })
})
