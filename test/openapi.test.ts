import t from 'tap'
import { errorTable, type ErrorSchema } from '../src/base/errors.ts'
import type { OpenApiDocument } from '../src/openapi.ts'
import { eventually } from './support/eventually.ts'
import { rewrite, startGateway, storeConfig } from './support/gateway.ts'

t.test('the document has a path per namespace, recommender and action, with examples', async t => {
  const { app } = await startGateway(t, storeConfig, { adminKey: 'an admin key of a test' })
  const document = (await app.inject('/docs/json')).json<OpenApiDocument>()
  t.match(document, { openapi: /^3\.1/, info: { title: 'Test store', version: '7' } })
  t.strictSame(Object.keys(document.paths).sort(), [
    '/events/store',
    '/events/store/batch',
    '/explain/recommend-items/store/for-you/{userId}',
    '/explain/related-items/store/similar/{itemId}',
    '/explain/rerank-items/store/ranking/{userId}/{itemIds}',
    '/health/live',
    '/health/ready',
    '/items/store',
    '/metrics',
    '/recommend-items/store/for-you/{userId}',
    '/related-items/store/similar/{itemId}',
    '/rerank-items/store/ranking/{userId}',
    '/rerank-items/store/ranking/{userId}/{itemIds}'
  ])
  const { get } = document.paths['/recommend-items/store/for-you/{userId}']!
  t.match(get!.parameters!.find(({ name }) => name === 'numResults'), { required: false, example: 25, schema: { minimum: 1, maximum: 500, default: 25 } })
  t.match(get!.parameters!.find(({ name }) => name === 'userId'), { example: 'user-1', required: true })
  const body = document.paths['/events/store']!['post']!['requestBody'] as { content: Record<string, { schema: object, example?: object }> }
  t.match(JSON.stringify(body), '"eventType":"click"', 'a body to send')
  const ids = Object.values(document.paths).flatMap(item => Object.values(item)).map(({ operationId }) => operationId)
  t.equal(new Set(ids).size, ids.length, 'operation ids are unique')
  const text = JSON.stringify(document)
  for (const [, name] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)) t.ok(Object.hasOwn(document.components!['schemas'] as object, name!), `${name!} is there`)
})

t.test('it follows the configuration', async t => {
  const { app, configFile } = await startGateway(t)
  const { store } = storeConfig.namespaces
  rewrite(configFile, { ...storeConfig, version: '8', namespaces: { shop: store } })
  await eventually('the new version serves', () => app.config.plan.version === '8')
  const { info, paths } = (await app.inject('/docs/json')).json<OpenApiDocument>()
  t.equal(info.version, '8')
  t.ok(paths['/recommend-items/shop/for-you/{userId}'])
  t.notOk(paths['/recommend-items/store/for-you/{userId}'])
  t.match((await app.inject('/docs/yaml')).body, '/recommend-items/shop/for-you/{userId}')
})

t.test('every error of the table is in the document, with its part of the system', async t => {
  const { app } = await startGateway(t)
  const { components } = (await app.inject('/docs/json')).json<{ components: { schemas: { Error: typeof ErrorSchema } } }>()
  const { code, type } = components.schemas.Error.properties as unknown as Record<'code' | 'type', { enum: string[] }>
  t.strictSame(code.enum, Object.keys(errorTable))
  t.strictSame(new Set(type.enum), new Set(Object.values(errorTable).map(({ type }) => type)))
})

t.test('the page itself is served', async t => {
  const { app } = await startGateway(t)
  t.match(await app.inject('/docs'), { statusCode: 200, headers: { 'content-type': /text\/html/ } })
})
