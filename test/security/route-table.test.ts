import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import type { AuthenticationOptions } from '../../plugins/authentication.ts'
import { buildApp } from '../../src/app.ts'
import { fileSource } from '../../src/config/file-source.ts'
import { createKey, type ApiKey } from '../../src/security/api-keys.ts'
import { accesses, scopes } from '../../src/security/access.ts'
import { fixedKeys } from '../../src/security/key-sources.ts'
import { startGateway } from '../support/gateway.ts'
import { routeRequests } from '../support/route-requests.ts'
import { twoShops } from '../support/two-shops.ts'
import { watchedLog } from '../support/watched-log.ts'

type Limits = Pick<ApiKey, 'scopes' | 'namespaces'>

async function startWithKeys<N extends string> (t: Test, limits: Record<N, Limits>, more: AuthenticationOptions = { schemes: ['api-key'] }): Promise<{ app: FastifyInstance, keys: Record<N, string> }> {
  const made = Object.entries<Limits>(limits).map(([name, limit]) => [name, createKey(limit)] as const)
  const keySources = made.length === 0 ? [] : [fixedKeys('API_KEYS', JSON.stringify(made.map(([, { record }]) => record)))]
  const { app } = await startGateway(t, twoShops, { authentication: { keySources, ...more } })
  return { app, keys: Object.fromEntries(made.map(([name, { key }]) => [name, key])) as Record<N, string> }
}

async function statusOf (app: FastifyInstance, request: { headers?: Record<string, string> }, key?: string): Promise<number> {
  const { statusCode } = await app.inject({ ...request, headers: { ...request.headers, ...(key === undefined ? {} : { 'x-api-key': key }) } })
  return statusCode
}

const isRefused = (status: number): boolean => status === 401 || status === 403

t.test('route table: every route has an access flag', async t => {
  const { app } = await startWithKeys(t, {}, {})
  const { routes } = app.authentication
  t.ok(routes.length > 20)
  for (const { method, url, config } of routes) t.ok([...accesses, 'private'].includes(config?.access as string), `${String(method)} ${url}`)
})

t.test('route table: a route without a flag is closed, with any key and under every scheme', async t => {
  for (const more of [{}, { openWrites: true }, { schemes: ['api-key'] }] satisfies AuthenticationOptions[]) {
    await t.test(JSON.stringify(more), async t => {
      const { key, record } = createKey({ scopes: ['admin'] })
      const dataDir = t.testdir({ 'config.json': JSON.stringify(twoShops) })
      const app = await buildApp({ source: fileSource(`${dataDir}/config.json`), dataDir, logger: pino({ level: 'silent' }), authentication: { keySources: [fixedKeys('API_KEYS', JSON.stringify(record))], ...more } })
      t.teardown(async () => app.close())
      app.get('/forgotten', async () => 'open')
      await app.ready()
      await app.config.loaded
      t.equal(await statusOf(app, { url: '/forgotten' } as object), 401)
      t.equal(await statusOf(app, { url: '/forgotten' } as object, key), 403)
    })
  }
})

t.test('route table: without credentials, each route refuses with 401 and one body', async t => {
  const { app } = await startWithKeys(t, { admin: { scopes: ['admin'] } })
  const bodies = new Set<string>()
  for (const { name, route, request } of routeRequests(app)) {
    if (route.config?.access === 'private') continue
    for (const headers of [{}, { 'x-api-key': 'wrong' }, { authorization: 'Bearer x' }]) {
      const wanted = request('tea')
      const { statusCode, headers: { 'www-authenticate': challenge }, body } = await app.inject({ ...wanted, headers: { ...wanted.headers, ...headers } })
      t.equal(statusCode, 401, name)
      t.equal(challenge, 'ApiKey realm="gateway"', name)
      if (wanted.method !== 'HEAD') bodies.add(body.replace(/"requestId":"[^"]+"/, ''))
    }
  }
  t.equal(bodies.size, 1)
})

t.test('route table: a key reaches the routes of its scope and no others, with every scope and route', async t => {
  const { app, keys } = await startWithKeys(t, { read: { scopes: ['read'] }, write: { scopes: ['write'] }, admin: { scopes: ['admin'] } })
  for (const { name, route, request } of routeRequests(app)) {
    const needed = route.config!.access === 'private' ? 'read' : route.config!.access
    for (const scope of scopes) {
      const status = await statusOf(app, request('tea'), keys[scope])
      if (scope === needed || scope === 'admin' || route.config!.access === 'private') t.notOk(isRefused(status), `${name} with ${scope}: ${status}`)
      else t.equal(status, 403, `${name} with ${scope}`)
    }
  }
})

t.test('route table: a key of one namespace cannot reach another on any route, batches and NDJSON included', async t => {
  const { app, keys } = await startWithKeys(t, { tea: { scopes: ['admin'], namespaces: ['tea'] } })
  const before = await app.inject({ url: '/recommend-items/cup/home/user-1', headers: { 'x-api-key': keys.tea } })
  t.equal(before.statusCode, 403)
  for (const { name, route, request } of routeRequests(app)) {
    if (!route.url.includes(':namespace')) continue
    t.notOk(isRefused(await statusOf(app, request('tea'), keys.tea)), name)
    for (const other of ['cup', 'TEA', 'tea ', 'tea.', '%74ea', 'nowhere']) t.equal(await statusOf(app, request(other), keys.tea), 403, `${name} of ${other}`)
  }
  const body = JSON.stringify({ userId: 'u', namespace: 'cup', eventList: [{ eventType: 'view', itemId: 'i' }] })
  const lines = { method: 'POST', url: '/events/cup/batch', headers: { 'content-type': 'application/x-ndjson' }, payload: `${body}\n${body}\n` } as const
  t.equal(await statusOf(app, lines, keys.tea), 403)
  t.equal(await statusOf(app, { ...lines, url: '/events/tea/batch' } as object, keys.tea), 200)
  t.equal((await app.inject({ url: '/metrics', remoteAddress: '8.8.8.8', headers: { 'x-api-key': keys.tea } })).statusCode, 403, 'metrics tell of all namespaces')
})

t.test('route table: AUTH_SCHEME=none leaves reads and events open, and says which; items, users and explain need a key unless OPEN_WRITES', async t => {
  const { app, keys } = await startWithKeys(t, { write: { scopes: ['write'] }, admin: { scopes: ['admin'] } }, {})
  const open = await startWithKeys(t, {}, { openWrites: true })
  for (const { name, route, request } of routeRequests(app)) {
    const isOpen = !/^\/(items|users|explain|experiments)\//.test(route.url)
    const status = await statusOf(app, request('tea'))
    if (isOpen) t.notOk(isRefused(status), `${name}: ${status}`)
    else t.equal(status, 401, name)
    t.notOk(isRefused(await statusOf(app, request('tea'), keys.admin)), `${name} with an admin key`)
    if (/^\/(items|users)\//.test(route.url)) t.notOk(isRefused(await statusOf(app, request('tea'), keys.write)), `${name} with a write key`)
    t.notOk(isRefused(await statusOf(open.app, request('tea'))), `${name} with OPEN_WRITES`)
  }
})

t.test('route table: at the start, one line of the log says what is open without credentials, and no line where nothing is', async t => {
  const openIn = async (t: Test, authentication: AuthenticationOptions): Promise<string[][]> => {
    const { logger, text } = watchedLog()
    await startGateway(t, twoShops, { logger, authentication })
    return text().split('\n').filter(line => line.includes('AUTH_SCHEME')).map(line => (JSON.parse(line) as { open: string[] }).open)
  }
  await t.test('none', async t => {
    const [open = [], ...more] = await openIn(t, {})
    t.strictSame(more, [])
    t.ok(open.includes('GET /recommend-items/:namespace/:recommender/:userId') && open.includes('POST /events/:namespace/batch'))
    t.strictSame(open.filter(route => /items\/:namespace$|users|explain/.test(route)), [])
  })
  await t.test('OPEN_WRITES', async t => t.ok((await openIn(t, { openWrites: true }))[0]!.includes('POST /items/:namespace')))
  await t.test('api-key', async t => t.strictSame(await openIn(t, { schemes: ['api-key'] }), []))
})

t.test('route table: a cached answer is never served before authentication', async t => {
  const { app, keys } = await startWithKeys(t, { tea: { scopes: ['read'], namespaces: ['tea'] }, cup: { scopes: ['read'], namespaces: ['cup'] } })
  const url = '/recommend-items/tea/home/user-1?numResults=2'
  for (const hit of [false, true, true]) {
    const { statusCode, headers } = await app.inject({ url, headers: { 'x-api-key': keys.tea } })
    t.match([statusCode, headers['cache-status']], [200, hit ? /hit/ : /miss/])
  }
  for (const headers of [{}, { 'x-api-key': 'wrong' }, { 'x-api-key': keys.cup }, { 'x-api-key': `${keys.tea}x` }, { 'x-api-key': keys.tea.toUpperCase() }]) {
    const { statusCode, headers: { etag, 'cache-status': cacheStatus } } = await app.inject({ url, headers })
    t.ok(isRefused(statusCode))
    t.strictSame([etag, cacheStatus], [undefined, undefined])
  }
  t.equal(await statusOf(app, { url, headers: { 'if-none-match': '*' } } as object), 401)
  t.equal(await statusOf(app, { method: 'HEAD', url } as object), 401)
})

t.test('route table: /docs and /metrics are open or closed by setting', async t => {
  const closed = await startWithKeys(t, { read: { scopes: ['read'] } }, { schemes: ['api-key'], docs: 'read', metrics: 'read' })
  for (const url of ['/docs', '/docs/json', '/docs/yaml', '/docs/static/swagger-ui.css', '/metrics']) {
    t.equal(await statusOf(closed.app, { url } as object), 401, url)
    t.equal(await statusOf(closed.app, { url } as object, closed.keys.read), 200, url)
  }
  const { app, keys } = await startWithKeys(t, { read: { scopes: ['read'] } })
  for (const url of ['/docs', '/docs/json', '/health/live', '/health/ready']) t.equal(await statusOf(app, { url } as object), 200, url)
  const metrics = async (remoteAddress: string, headers: Record<string, string> = {}): Promise<number> => (await app.inject({ url: '/metrics', remoteAddress, headers })).statusCode
  for (const address of ['127.0.0.1', '::1', '10.1.2.3', '172.31.0.9', '192.168.1.1', '::ffff:10.0.0.1', 'fd00::1']) t.equal(await metrics(address), 200, address)
  for (const address of ['8.8.8.8', '172.32.0.1', '::ffff:8.8.8.8', '2001:db8::1', '11.0.0.1', 'unknown']) t.equal(await metrics(address), 401, address)
  t.equal(await metrics('8.8.8.8', { 'x-api-key': keys.read }), 200)
  t.equal(await metrics('10.0.0.1', { 'x-forwarded-for': '10.0.0.7, 10.0.0.8' }), 200, 'through private proxies')
  for (const headers of [{ 'x-forwarded-for': '8.8.8.8' }, { 'x-forwarded-for': '127.0.0.1, 8.8.8.8' }, { 'x-forwarded-for': 'unknown' }, { 'x-forwarded-for': '' }, { forwarded: 'for=127.0.0.1' }, { 'cloudfront-viewer-address': '127.0.0.1:1' }]) {
    t.equal(await metrics('127.0.0.1', headers as unknown as Record<string, string>), 401, JSON.stringify(headers))
  }
})

t.test('route table: the admin key is a key with the scope admin under every scheme', async t => {
  const adminKey = 'an-admin-key-of-a-test'
  for (const authentication of [{}, { schemes: ['api-key'] }] satisfies AuthenticationOptions[]) {
    const { app } = await startGateway(t, twoShops, { adminKey, authentication })
    for (const { name, request } of routeRequests(app)) t.notOk(isRefused(await statusOf(app, request('tea'), adminKey)), name)
    t.equal(await statusOf(app, { url: '/explain/recommend-items/tea/home/user-1' } as object, `${adminKey}x`), 401)
  }
})
