import { request } from 'node:http'
import { gzipSync } from 'node:zlib'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { startAws } from '../support/aws.ts'
import { addTarget, recordingTarget } from '../support/event-targets.ts'
import { startGateway, storeConfig } from '../support/gateway.ts'

const json = { 'content-type': 'application/json' }
const routes = ['/events/store', '/events/store/batch', '/users/store', '/items/store', '/rerank-items/store/ranking/me']

interface Answer {
  status: number
  body: Record<string, unknown>
  headers: Record<string, unknown>
}

async function post (app: FastifyInstance, url: string, payload: string | Buffer, headers: Record<string, string> = {}): Promise<Answer> {
  const answer = await app.inject({ method: 'POST', url, payload, headers: { ...json, ...headers } })
  return { status: answer.statusCode, body: answer.json(), headers: answer.headers }
}

/** Starts a gateway whose namespace has a dataset of users, too. */
async function startWithUsers (t: Test): Promise<{ app: FastifyInstance }> {
  await startAws(t)
  const { store } = storeConfig.namespaces
  const tracker = { type: 'personalize-event-tracker', trackingId: 'tracker', usersDatasetArn: 'arn:aws:personalize:us-east-1:123456789012:dataset/shop/USERS' }
  return startGateway(t, { ...storeConfig, namespaces: { store: { ...store, eventTargets: [...store.eventTargets, tracker] } } })
}

const event = { eventType: 'view', itemId: 'tea' }

t.test('a body that is not UTF-8 is a 400 that names the encoding, on every route', async t => {
  const { app } = await startWithUsers(t)
  for (const url of routes) {
    for (const type of ['application/json', ...(url.endsWith('batch') ? ['application/x-ndjson', 'text/plain'] : [])]) {
      for (const hex of ['e9', 'c0af', 'eda0bdedb2a9']) {
        const payload = Buffer.concat([Buffer.from('{"userId":"caf'), Buffer.from(hex, 'hex'), Buffer.from('"}')])
        t.match(await post(app, url, payload, { 'content-type': type }), { status: 400, body: { code: 'InvalidBody', message: /UTF-8/ } }, `${url} ${type} ${hex}`)
      }
    }
  }
})

t.test('half a surrogate pair is a 400 with its place: in ids, types, properties as object and as text, of one body of a batch', async t => {
  const { app } = await startGateway(t)
  const bodies: Array<[string, string]> = [
    ['{"userId":"a\\ud83d","eventList":[{"eventType":"view"}]}', 'body/userId'],
    ['{"userId":"a","eventList":[{"eventType":"\\udc00"}]}', 'body/eventList/0/eventType'],
    ['{"userId":"a","eventList":[{"eventType":"v","properties":{"a":{"b":"\\ud83d"}}}]}', 'body/eventList/0/properties'],
    ['{"userId":"a","eventList":[{"eventType":"v","properties":"{\\"a\\":\\"\\\\ud83d\\"}"}]}', 'body/eventList/0/properties'],
    ['{"userId":"a","eventList":[{"eventType":"v","impression":["x","\\udfff"]}]}', 'body/eventList/0/impression/1']
  ]
  for (const [payload, place] of bodies) {
    const expected = { code: 'InvalidBody', message: new RegExp(`^${place}: .*half a surrogate pair`) }
    t.match(await post(app, '/events/store', payload), { status: 400, body: expected }, payload)
    const good = JSON.stringify({ userId: 'b', eventList: [event] })
    for (const [text, type] of [[`[${payload},${good}]`, 'application/json'], [`${payload}\n${good}`, 'application/x-ndjson']] as const) {
      t.match(await post(app, '/events/store/batch', text, { 'content-type': type }), { status: 207, body: { results: [{ status: 400, ...expected }, { status: 200 }] } }, `${type} ${payload}`)
    }
  }
  t.match(await post(app, '/rerank-items/store/ranking/me', '["a\\ud83d"]'), { status: 400, body: { message: /^body\/0: / } })
})

t.test('properties given as an object keep their numbers as written', async t => {
  const target = recordingTarget()
  const { app } = await startGateway(t)
  addTarget(app, 'store', 'recording', target)
  const properties = '{"a":1e999,"b":12345678901234567890,"c":-0}'
  const body = (text: string): string => `{"userId":"u","eventList":[{"eventType":"v","properties": ${text} }]}`
  for (const [url, payload, type] of [
    ['/events/store', body('{"a": 1e999, "b":12345678901234567890,\n"c":-0}'), 'application/json'],
    ['/events/store', body(JSON.stringify(properties)), 'application/json'],
    ['/events/store/batch', `[${body(properties)}]`, 'application/json'],
    ['/events/store/batch', body(properties), 'application/x-ndjson']
  ] as const) t.match(await post(app, url, payload, { 'content-type': type }), { status: 200 })
  t.strictSame(target.bodies.map(({ events }) => events[0]!.properties), Array(4).fill(properties))
})

t.test('the numbers of an item\'s properties stay as written', async t => {
  const { app } = await startGateway(t)
  await post(app, '/items/store', '{"items":[{"itemId":"tea","properties":{"a": 1.0,"b":12345678901234567890}}]}')
  const { payload } = await app.inject({ method: 'POST', url: '/rerank-items/store/ranking/me', payload: '["tea"]', headers: json })
  t.match(payload, '"metadata":{"a":1.0,"b":12345678901234567890}')
})

t.test('Content-Encoding: gzip is decoded on every POST route, identity is taken, others are a 415 with Accept-Encoding', async t => {
  const { app } = await startWithUsers(t)
  const payloads: Record<string, string> = {
    '/events/store': JSON.stringify({ userId: 'u', eventList: [event] }),
    '/events/store/batch': JSON.stringify([{ userId: 'u', eventList: [event] }]),
    '/users/store': JSON.stringify({ users: [{ userId: 'u' }] }),
    '/items/store': JSON.stringify({ items: [{ itemId: 'tea' }] }),
    '/rerank-items/store/ranking/me': '["tea"]'
  }
  for (const url of routes) {
    const plain = payloads[url]!
    const expected = { status: (await post(app, url, plain)).status }
    for (const encoding of ['gzip', 'GZIP', 'x-gzip', 'identity, gzip']) t.match(await post(app, url, gzipSync(plain), { 'content-encoding': encoding }), expected, `${url} ${encoding}`)
    for (const encoding of ['identity', 'Identity', '']) t.match(await post(app, url, plain, { 'content-encoding': encoding }), expected, `${url} ${encoding}`)
    for (const encoding of ['br', 'deflate', 'gzip, gzip', 'zstd']) {
      t.match(await post(app, url, plain, { 'content-encoding': encoding }), { status: 415, body: { code: 'UnsupportedContentEncoding' }, headers: { 'accept-encoding': 'gzip, identity' } }, `${url} ${encoding}`)
    }
    for (const broken of [Buffer.from(plain), gzipSync(plain).subarray(0, -5)]) t.match(await post(app, url, broken, { 'content-encoding': 'gzip' }), { status: 400, body: { message: /not gzip/ } })
  }
})

t.test('a zip bomb is a 413: by its size, and by its ratio where the size would be allowed', async t => {
  const { app } = await startGateway(t)
  const bomb = (mebibytes: number): Buffer => gzipSync(Buffer.alloc(mebibytes * 1024 * 1024, 0x20))
  const encoded = { 'content-encoding': 'gzip' }
  t.match(await post(app, '/events/store', bomb(64), encoded), { status: 413, body: { code: 'BodyTooLarge', message: 'body: expected at most 1 MiB' } })
  t.match(await post(app, '/items/store', bomb(64), encoded), { status: 413 })
  t.match(await post(app, '/items/store', bomb(7), encoded), { status: 413 })
  const same = JSON.stringify({ userId: 'u', eventList: Array(500).fill(event) })
  t.match(await post(app, '/events/store', gzipSync(same), encoded), { status: 200 }, 'repetition is no attack')
})

t.test('the event routes take JSON as text/plain, which sendBeacon sends; the others do not', async t => {
  const { app } = await startWithUsers(t)
  const beacon = { 'content-type': 'text/plain;charset=UTF-8' }
  const body = { userId: 'u', eventList: [event] }
  t.match(await post(app, '/events/store', JSON.stringify(body), beacon), { status: 200 })
  t.match(await post(app, '/events/store/batch', JSON.stringify([body]), beacon), { status: 200 })
  t.match(await post(app, '/events/store', 'hello', beacon), { status: 400, body: { code: 'InvalidBody' } })
  for (const url of routes.slice(2)) t.match(await post(app, url, '{}', beacon), { status: 415 })
})

t.test('namespace, targets, recommender, content type, encoding and length are checked before the body is read', async t => {
  const { app } = await startGateway(t)
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const cases: Array<[string, number, Record<string, string>]> = [
    ['/events/nowhere', 404, {}], ['/events/nowhere/batch', 404, {}], ['/users/nowhere', 404, {}], ['/items/nowhere', 404, {}], ['/rerank-items/nowhere/ranking/me', 404, {}], ['/rerank-items/store/nothing/me', 404, {}],
    ['/nothing', 404, {}], ['/events/mute', 409, {}], ['/events/mute/batch', 409, {}], ['/users/mute', 409, {}], ['/items/mute', 409, {}],
    ['/events/store', 415, { 'content-type': 'application/xml' }], ['/events/store', 415, { 'content-encoding': 'br' }], ['/events/store', 413, { 'content-length': String(1024 * 1024 + 1) }], ['/items/store', 413, { 'content-length': String(8 * 1024 * 1024 + 1) }]
  ]
  for (const [path, status, headers] of cases) {
    // The body never comes: an answer proves that the gateway did not wait for it.
    const got = await new Promise<number | undefined>((resolve, reject) => {
      const sending = request(url + path, { method: 'POST', headers: { ...json, 'content-length': '1000', ...headers } }, answer => {
        resolve(answer.statusCode)
        sending.destroy()
      })
      sending.on('error', reject)
      sending.write('[')
    })
    t.equal(got, status, path)
  }
})

t.test('a body that is too long without saying so is a 413, and the connection stays usable', async t => {
  const { app } = await startGateway(t)
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const stream = new ReadableStream({ start (controller) { controller.enqueue(Buffer.alloc(3 * 1024 * 1024, '[')); controller.close() } })
  const answer = await fetch(`${url}/events/store`, { method: 'POST', headers: json, body: stream, duplex: 'half' })
  t.equal(answer.status, 413)
  t.match(await answer.json(), { message: 'body: expected at most 1 MiB' })
})

t.test('nothing blocks: the event loop goes round while large bodies are read and handled', async t => {
  const { app } = await startGateway(t)
  const properties = { text: 'x'.repeat(300) }
  const batch = JSON.stringify(Array.from({ length: 10 }, (_, user) => ({ userId: `u${user}`, eventList: Array.from({ length: 500 }, (_, i) => ({ ...event, eventId: `${user}-${i}`, properties })) })))
  const items = `{"items":[${Array.from({ length: 100 }, (_, i) => `{"itemId":"n${i}","properties":{"a":[${Array(15_900).fill(1).join()}]}}`).join()}]}`
  for (const [url, payload, status] of [['/events/store/batch', batch, 200], ['/items/store', items, 200]] as const) {
    let done = false
    let rounds = 0
    const count = (): void => { if (!done) { rounds++; setImmediate(count) } }
    count()
    const answer = await post(app, url, payload)
    done = true
    t.equal(answer.status, status)
    t.ok(rounds > 5, `${url}: ${rounds} rounds of the event loop while it was handled`)
  }
})
