import t from 'tap'
import { SettingsError, readSettings } from '../src/settings.ts'
import { anonymous } from '../src/security/access.ts'
import type { OpenApiDocument } from '../src/openapi.ts'
import { startGateway } from './support/gateway.ts'

const basePath = '/prod/v1'

t.test('BASE_PATH puts all routes below it, and leaves probes at the root as well', async t => {
  const { app } = await startGateway(t, undefined, { basePath })
  const statusOf = async (url: string): Promise<number> => (await app.inject(url)).statusCode
  for (const url of ['/recommend-items/store/for-you/me', '/related-items/store/similar/tea', '/rerank-items/store/ranking/me/a,b', '/metrics', '/docs', '/docs/json', '/docs/yaml', '/docs/static/swagger-ui.css']) {
    t.equal(await statusOf(basePath + url), 200, `below: ${url}`)
    t.equal(await statusOf(url), 404, `at the root: ${url}`)
  }
  for (const url of ['/health/live', '/health/ready']) t.strictSame([await statusOf(basePath + url), await statusOf(url)], [200, 200], url)
  t.equal(await statusOf('/prod/v12/health/live'), 404)
  const post = await app.inject({ method: 'POST', url: `${basePath}/events/store`, payload: { userId: 'me', eventList: [{ eventType: 'view', itemId: 'tea' }] } })
  t.equal(post.statusCode, 200, post.body)
  t.match(await app.inject({ method: 'PUT', url: `${basePath}/events/store` }), { statusCode: 405, headers: { allow: 'OPTIONS, POST' } })
})

t.test('the OpenAPI document names BASE_PATH in its servers, and the paths below it', async t => {
  const { app } = await startGateway(t, undefined, { basePath })
  const { servers, paths } = (await app.inject(`${basePath}/docs/json`)).json<OpenApiDocument>()
  t.strictSame(servers, [{ url: basePath }])
  const { app: other } = await startGateway(t)
  const without = (await other.inject('/docs/json')).json<OpenApiDocument>()
  t.strictSame(Object.keys(paths), Object.keys(without.paths))
  t.strictSame(without['servers'], [{ url: '/' }])
  const page = (await app.inject(`${basePath}/docs`)).body
  t.match(page, `href="${basePath}/docs/static/swagger-ui.css"`)
})

t.test('records name the path below BASE_PATH', async t => {
  const { app } = await startGateway(t, undefined, { basePath })
  const pathOf = (url: string): string => app.collecting({ headers: {}, url, query: {}, principal: anonymous }).broughtBy.path
  t.equal(pathOf(`${basePath}/events/store?debug=1`), '/events/store')
})

t.test('the address of the gateway leads to its documentation', async t => {
  const { app } = await startGateway(t)
  t.match(await app.inject('/'), { statusCode: 302, headers: { location: './docs' } })
  t.equal((await app.inject('/docs')).statusCode, 200)
  const { app: below } = await startGateway(t, undefined, { basePath })
  for (const [url, location] of [[basePath, './v1/docs'], [`${basePath}/?a`, './docs']] as const) {
    const { statusCode, headers } = await below.inject(url)
    t.strictSame([statusCode, headers.location], [302, location])
    t.equal(new URL(location, `http://a${url}`).pathname, `${basePath}/docs`)
  }
})

t.test('BASE_PATH begins with a slash, does not end with one, and has unreserved characters', async t => {
  t.equal(readSettings({}).BASE_PATH, '')
  for (const BASE_PATH of ['/prod', '/a/b-c/d_e', '/v1.0', '/~me']) t.equal(readSettings({ BASE_PATH }).BASE_PATH, BASE_PATH)
  for (const BASE_PATH of ['/', 'prod', '/prod/', '//prod', '/a//b', '/a b', '/a%20b', '/ä', '/:a', '/*', '/a?b', '/..', '/a/./b', '/a/..', 'http://a/b', `/${'a'.repeat(300)}`, '/a\n']) {
    t.throws(() => readSettings({ BASE_PATH }), { constructor: SettingsError, message: /^BASE_PATH expected a path such as \/prod/ }, BASE_PATH)
  }
})
