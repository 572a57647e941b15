import { once } from 'node:events'
import t, { type Test } from 'tap'
import { validateDocument } from '../../src/config/validate.ts'
import { UserError } from '../../src/base/user-error.ts'
import { eventTargetContract, type Misbehaviour, type TargetUnderTest } from '../contracts/event-target.ts'
import { bodiesOf, eventBody } from '../support/event-bodies.ts'
import { arrivalsOf } from '../support/event-records.ts'
import { sendEvents, startGateway, storeConfig } from '../support/gateway.ts'
import { openTarget, type OpenTarget } from '../support/open-target.ts'
import { seededRandom } from '../support/seeded-random.ts'
import { recordsOf, startWebhookReceiver, webhookKey, type Answer, type ReceivedCall, type WebhookReceiver } from '../support/webhook-receiver.ts'

const webhookSecrets = new Map([['shop-hook', webhookKey]])
const signed = { type: 'http', secret: 'shop-hook' }

const isBad = (call: ReceivedCall): boolean => recordsOf(call).some(record => arrivalsOf([record]).some(({ eventType }) => eventType === 'bad'))

async function start (t: Test): Promise<TargetUnderTest> {
  const receiver = await startWebhookReceiver(t)
  const { next } = seededRandom(7)
  const answers: Record<Misbehaviour, () => Answer> = { throttle: () => next() < 0.3 ? 429 : 200, away: () => 503, hang: () => () => {} }
  const misbehave = (how?: Misbehaviour): void => { receiver.answer(how === undefined ? call => isBad(call) ? 422 : 200 : answers[how]) }
  misbehave()
  return {
    config: { ...signed, url: receiver.url },
    resources: { webhookSecrets },
    arrived: () => arrivalsOf(receiver.records()),
    text: () => JSON.stringify(receiver.calls.map(({ headers, body }) => [headers, body.toString()])),
    misbehave,
    calls: () => receiver.calls.length
  }
}

eventTargetContract({
  type: 'http',
  start,
  records: true,
  misbehaviours: ['throttle', 'away', 'hang'],
  packs: { bodies: bodiesOf(1_000, 1), calls: 3 },
  poison: { eventType: 'bad' }
})

async function open (t: Test, config: object = {}): Promise<OpenTarget & { receiver: WebhookReceiver }> {
  const receiver = await startWebhookReceiver(t)
  return { receiver, ...await openTarget(t, { ...signed, url: receiver.url, ...config }, { webhookSecrets }) }
}

t.test('a call is a POST of records to the address as it is configured', async t => {
  const { receiver, target } = await open(t, { headers: { 'X-Tenant': 'shop', Authorization: 'Bearer token' } })
  const body = { ...eventBody('user', ['a']), conversions: [{ recommender: 'home', metric: 'sales', value: 2 }] }
  t.equal(await target.deliver(body), undefined)
  t.match(receiver.calls, [{ method: 'POST', path: '/hook?from=shop', status: 200, headers: { 'content-type': 'application/json', 'x-tenant': 'shop', authorization: 'Bearer token' } }])
  t.match(receiver.records(), [{
    namespace: 'shop',
    path: '/events/shop',
    headers: { 'user-agent': 'test' },
    queryStringParameters: { debug: '1' },
    body: { userId: 'user', sessionId: 'session-of-user', eventList: [{ eventId: 'a', sentAt: 1_700_000_000 }], experimentConversions: body.conversions }
  }])
})

t.test('a call that is made again has the same id, another has another', async t => {
  const { receiver, target } = await open(t)
  const statuses = [500, 408, 503, 429, 200]
  receiver.answer(() => statuses.shift() ?? 200)
  t.equal(await target.deliver(eventBody('user', ['a'])), undefined)
  t.equal(await target.deliver(eventBody('user', ['b'])), undefined)
  const ids = receiver.calls.map(({ headers }) => headers['webhook-id'])
  t.strictSame(receiver.calls.map(({ status }) => status), [500, 408, 503, 429, 200, 200])
  t.equal(new Set(ids.slice(0, 5)).size, 1)
  t.not(ids[5], ids[0])
  t.match(ids[0], /^msg_[\w-]{43}$/)
})

t.test('a receiver that is not the one that was meant is not a fault of the events', async t => {
  const { receiver, target } = await open(t)
  for (const status of [301, 302, 307, 308, 401, 403, 404]) {
    receiver.answer(() => response => { response.writeHead(status, { location: `${receiver.url}&elsewhere` }).end() })
    const before = receiver.calls.length
    const { target } = await openTarget(t, { ...signed, url: receiver.url }, { webhookSecrets })
    t.match(await target.deliver(eventBody('user', ['a'])), { retryable: true, reason: 'it does not know us, or what the configuration names', eventIds: ['a'] })
    t.equal(receiver.calls.length, before + 1, `${status}: it is not followed`)
  }
  receiver.answer(() => 200)
  t.equal(await target.deliver(eventBody('user', ['a'])), undefined)
})

t.test('an address that nobody listens at is away', async t => {
  const { target } = await openTarget(t, { type: 'http', url: 'http://127.0.0.1:9/' })
  t.match(await target.deliver(eventBody('user', ['a'])), { retryable: true, eventIds: ['a'] })
})

t.test('an answer is its status: one without an end, and one that stops, hold up nothing', async t => {
  const { receiver, target } = await open(t)
  const closed: Array<Promise<unknown>> = []
  for (const endless of [true, false]) {
    receiver.answer(() => response => {
      closed.push(once(response, 'close'))
      response.writeHead(200)
      const more = (): void => { while (!response.destroyed && response.write(Buffer.alloc(16 * 1024))); }
      if (endless) response.on('drain', more)
      if (endless) more()
      else response.write('and then')
    })
    t.equal(await target.deliver(eventBody('user', ['a'])), undefined)
  }
  await Promise.all(closed)
})

t.test('an answer that is not understood is not a reason to send the events again', async t => {
  const { receiver, target } = await open(t)
  const answers: Answer[] = [
    response => { response.socket!.end('HTTP/1.1 nonsense\r\n\r\n') },
    response => { response.writeHead(200, { 'x-long': 'x'.repeat(32 * 1024) }).end() }
  ]
  for (const answer of answers) {
    receiver.calls.length = 0
    receiver.answer(() => answer)
    t.match(await target.deliver(eventBody('user', ['a'])), { reason: /may have the events/, retryable: true, eventIds: ['a'] })
    t.equal(receiver.calls.length, 1)
  }
})

t.test('a call has at most a mebibyte', async t => {
  const { receiver, target } = await open(t)
  const bodies = bodiesOf(40, 1, { properties: 'ü'.repeat(50_000) })
  t.strictSame([...new Set(await Promise.all(bodies.map(async body => target.deliver(body))))], [undefined])
  t.equal(receiver.records().length, 40)
  t.equal(receiver.calls.length, 4)
  for (const { body } of receiver.calls) t.ok(body.length <= 1024 * 1024)
})

t.test('connections are kept', async t => {
  const { receiver, target } = await open(t)
  const ports = new Set<unknown>()
  receiver.answer(() => response => {
    ports.add(response.socket?.remotePort)
    response.end()
  })
  for (let i = 0; i < 5; i++) t.equal(await target.deliver(eventBody('user', [`${i}`])), undefined)
  t.equal(ports.size, 1)
})

t.test('without a secret a call has an id and no signature', async t => {
  const receiver = await startWebhookReceiver(t, null)
  const { target } = await openTarget(t, { type: 'http', url: receiver.url })
  t.equal(await target.deliver(eventBody('user', ['a'])), undefined)
  t.match(receiver.calls, [{ headers: { 'webhook-id': /^msg_/, 'webhook-timestamp': /^\d{10}$/, 'webhook-signature': undefined } }])
})

t.test('a secret that the process does not have keeps the target from opening', async t => {
  const config = { type: 'http', url: 'https://receiver.example/', secret: 'other' }
  const error = new UserError('an event target of the configuration is signed with "other"; expected a secret of that name in WEBHOOK_SECRETS')
  await t.rejects(openTarget(t, config, { webhookSecrets }), error)
  await t.rejects(openTarget(t, config), error)
})

t.test('a gateway signs with what it was started with', async t => {
  const receiver = await startWebhookReceiver(t)
  const config = { ...storeConfig, namespaces: { store: { ...storeConfig.namespaces.store, eventTargets: [{ ...signed, url: receiver.url }] } } }
  const { app } = await startGateway(t, config, { webhookSecrets })
  await sendEvents(t, app, 'user', ['a', 'b'])
  t.match(receiver.records(), [{ namespace: 'store', path: '/events/store', body: { userId: 'user', eventList: [{ itemId: 'a' }, { itemId: 'b' }] } }])
  await t.rejects(startGateway(t, config), { message: /WEBHOOK_SECRETS/ }, 'a configuration that names a secret that is not there is not loaded')
})

t.test('a configuration is told what is wrong with it', async t => {
  const findings = (config: object): string[] => {
    const document = { version: '1', namespaces: { shop: { name: 'Shop', eventTargets: [{ type: 'http', ...config }] } } }
    return validateDocument(document).findings.filter(({ pointer }) => pointer.includes('eventTargets')).map(({ pointer, message }) => `${pointer.replace('/namespaces/shop/eventTargets/0/', '')} ${message}`)
  }
  t.strictSame(findings({ url: 'https://receiver.example/hook', headers: { 'x-key': 'value' }, secret: 'shop-hook', delivery: 'queued' }), [])
  for (const url of ['ftp://receiver.example', 'receiver.example', '/hook', 'javascript:0', 'http://']) {
    t.strictSame(findings({ url }), ['url expected an address that begins with https:// or http://'])
  }
  for (const url of ['https://user:pw@receiver.example', 'https://user@receiver.example']) {
    t.strictSame(findings({ url }), ['url must not hold credentials; expected them in a header'])
  }
  t.match(findings({}), ['url is missing'])
  const url = 'https://receiver.example'
  t.strictSame(findings({ url, headers: { Host: 'other', 'Webhook-Id': '1' } }), ['headers/Host is set by the connection itself', 'headers/Webhook-Id is set by the signature'])
  t.match(findings({ url, headers: { 'x-key': 'a\r\nb' } }), ['headers/x-key expected a string'])
  t.match(findings({ url, secret: 'not/a/name' }), ['secret expected a string'])
  t.match(findings({ url, method: 'PUT' }), ['method is not a known key here'])
})
