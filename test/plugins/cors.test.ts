import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { exposedHeaders } from '../../plugins/cors.ts'
import { readAllowedOrigins } from '../../src/base/allowed-origins.ts'
import { packagedFile } from '../../src/settings.ts'
import { sendEvents, startGateway, storeConfig, type TestGateway } from '../support/gateway.ts'
import { rawRequests } from '../support/raw-request.ts'
import { needsRedis, startRedis } from '../support/redis-server.ts'

const origin = 'https://www.shop.example'
const url = '/recommend-items/store/for-you/ann'

async function startOpen (t: Test, origins = 'https://*.shop.example', config: object = storeConfig, more: object = {}): Promise<TestGateway> {
  const gateway = await startGateway(t, config, { corsOrigins: readAllowedOrigins(origins), ...more })
  await sendEvents(t, gateway.app, 'somebody', ['tea', 'cup'])
  return gateway
}

const allowed = { 'access-control-allow-origin': origin, 'access-control-allow-credentials': 'true', 'access-control-expose-headers': exposedHeaders.join(', '), vary: /(^|, )Origin(,|$)/ }

t.test('without CORS_ORIGINS there is no CORS header and no Vary: Origin', async t => {
  const { app } = await startGateway(t)
  for (const method of ['GET', 'OPTIONS'] as const) {
    const { headers } = await app.inject({ method, url, headers: { origin, 'access-control-request-method': 'GET' } })
    t.strictSame(Object.keys(headers).filter(name => name.startsWith('access-control')), [])
    t.notMatch(headers.vary ?? '', /origin/i)
  }
})

t.test('CORS headers and Vary: Origin are on answers of every kind, hits and 304s too', async t => {
  const { app } = await startOpen(t)
  const miss = await app.inject({ url, headers: { origin } })
  const hit = await app.inject({ url, headers: { origin } })
  t.match(hit.headers['cache-status'], /^gateway-memory; hit/)
  const unchanged = await app.inject({ url, headers: { origin, 'if-none-match': String(hit.headers.etag) } })
  t.equal(unchanged.statusCode, 304)
  const head = await app.inject({ method: 'HEAD', url, headers: { origin, 'if-none-match': String(hit.headers.etag) } })
  t.equal(head.statusCode, 304)
  const events = await app.inject({ method: 'POST', url: '/events/store', headers: { origin }, payload: { userId: 'ann', sessionId: 's', eventList: [{ eventType: 'view', itemId: 'tea' }] } })
  t.equal(events.statusCode, 200)
  for (const answer of [miss, hit, unchanged, head, events]) t.match(answer.headers, allowed)
  const other = await app.inject({ url, headers: { origin: 'https://evil.example' } })
  t.equal(other.headers['access-control-allow-origin'], undefined)
  t.equal(other.headers['access-control-allow-credentials'], undefined)
  t.match(other.headers.vary, /Origin/)
  t.match((await app.inject(url)).headers.vary, /Origin/, 'without an Origin')
})

t.test('CORS headers are on errors of every layer', async t => {
  const { app } = await startOpen(t, undefined, storeConfig, { authentication: {}, adminKey: 'an admin key of a test' })
  const headers = { origin, host: 'gateway' }
  const post = (payload: string, more: object = {}): object => ({ method: 'POST', url: '/events/store', payload, headers: { ...headers, 'content-type': 'application/json', ...more } })
  const cases: Record<string, [number, object]> = {
    'a parameter': [400, { url: `${url}?numResults=x`, headers }],
    'a URL that the router refuses': [400, { url: '/recommend-items/store/%zz/ann', headers }],
    'a query that is no text': [400, { url: `${url}?filter=%ff`, headers }],
    Host: [400, { url, headers: { origin, host: 'a b' } }],
    'a body': [400, post('{')],
    'the admin': [401, { url: `/explain${url}`, headers }],
    'no route': [404, { url: '/nothing', headers }],
    'no namespace': [404, { url: '/recommend-items/nobody/r/u', headers }],
    'no method': [405, { method: 'PUT', url, headers }],
    'too large': [413, post(`"${'x'.repeat(1024 * 1024)}"`)],
    'too long': [414, { url: `/${'x'.repeat(9000)}`, headers }],
    'content type': [415, post('a', { 'content-type': 'image/png' })]
  }
  for (const [what, [status, request]] of Object.entries(cases)) {
    const answer = await app.inject(request)
    t.equal(answer.statusCode, status, `${what}: ${answer.body}`)
    t.match(answer.headers, allowed, what)
  }
  app.readiness.draining = true
  const draining = await app.inject({ url: '/health/ready', headers })
  t.equal(draining.statusCode, 503)
  t.match(draining.headers, allowed)
})

t.test('CORS headers are on answers to malformed requests, which no hook sees', async t => {
  const { app } = await startOpen(t)
  const send = await rawRequests(t, app)
  const requests: Record<string, [number, string]> = {
    'a bad header': [400, `GET / HTTP/1.1\r\nHost: a\r\nOrigin: ${origin}\r\nbad header\r\n\r\n`],
    'too large headers': [431, `GET / HTTP/1.1\r\nHost: a\r\noRiGin:${origin}\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`],
    'a bad chunk': [400, `POST /events/store HTTP/1.1\r\nHost: a\r\nOrigin: ${origin}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`],
    CONNECT: [405, `CONNECT a:1 HTTP/1.1\r\nHost: a\r\nOrigin: ${origin}\r\n\r\n`]
  }
  for (const [what, [status, request]] of Object.entries(requests)) {
    const answer = await send(request)
    t.equal(answer.status, status, what)
    t.match(answer.headers, allowed, what)
    const denied = await send(request.replace(origin, 'https://evil.example'))
    t.equal(denied.headers['access-control-allow-origin'], undefined, what)
    t.equal(denied.headers['vary'], 'Origin', what)
  }
})

t.test('a CORS preflight needs no credentials and no route, and is refused to other origins', async t => {
  const { app } = await startOpen(t)
  const preflight = async (from: string, url = '/events/store') => app.inject({ method: 'OPTIONS', url, headers: { origin: from, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type,x-api-key' } })
  const answer = await preflight(origin)
  t.equal(answer.statusCode, 204)
  t.match(answer.headers, {
    'access-control-allow-origin': origin,
    'access-control-allow-credentials': 'true',
    'access-control-allow-methods': /POST/,
    'access-control-allow-headers': 'content-type,x-api-key',
    'access-control-max-age': '7200',
    vary: /Origin/
  })
  t.equal((await preflight(origin, `/explain${url}`)).statusCode, 204)
  const denied = await preflight('https://evil.example')
  t.strictSame(Object.keys(denied.headers).filter(name => name.startsWith('access-control')), [])
  t.match(denied.headers.vary, /Origin/)
  const plain = await app.inject({ method: 'OPTIONS', url: '/events/store', headers: { origin } })
  t.match(plain, { statusCode: 204, headers: { allow: 'OPTIONS, POST', 'access-control-allow-origin': origin } }, 'OPTIONS that is no preflight')
  t.equal((await app.inject({ method: 'OPTIONS', url: '/nothing' })).statusCode, 404)
})

t.test('CORS with * gives no credentials', async t => {
  const { app } = await startOpen(t, '*')
  const { headers } = await app.inject({ url, headers: { origin: 'https://any.example' } })
  t.equal(headers['access-control-allow-origin'], '*')
  t.equal(headers['access-control-allow-credentials'], undefined)
  t.match(headers.vary, /Origin/)
})

t.test('CORS: one cached entry serves both origins, from memory and from Redis', needsRedis, async t => {
  const redis = await startRedis(t)
  const one = await startOpen(t, 'https://a.example,https://b.example', storeConfig, { redisUrl: redis.url })
  await one.app.inject({ url, headers: { origin: 'https://a.example' } })
  const fromMemory = await one.app.inject({ url, headers: { origin: 'https://b.example' } })
  t.match(fromMemory.headers, { 'cache-status': /^gateway-memory; hit/, 'access-control-allow-origin': 'https://b.example' })
  for (const key of await redis.client.keys('*')) {
    if (await redis.client.type(key) === 'string') t.notMatch(String(await redis.client.getBuffer(key)), 'a.example')
  }
})

t.test('CORS exposes every header of the gateway', async t => {
  const texts = ['plugins', 'routes', 'src/inference'].flatMap(folder => readdirSync(packagedFile(folder)).filter(name => name.endsWith('.ts')).map(name => readFileSync(join(packagedFile(folder), name), 'utf8')))
  const names = new Set(texts.flatMap(text => text.match(/(?<=')x-personalization-[a-z-]+(?=')/g) ?? []))
  t.ok(names.size > 4)
  for (const name of names) t.ok(exposedHeaders.map(exposed => exposed.toLowerCase()).includes(name), name)
})
