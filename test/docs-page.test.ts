import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import type { OpenApiDocument } from '../src/openapi.ts'
import { packagedFile } from '../src/settings.ts'
import { startAws } from './support/aws.ts'
import { chromium, openPage } from './support/browser.ts'
import { executeExamples } from './support/docs-page.ts'
import { sendEvents, startGateway, storeConfig, type TestGateway } from './support/gateway.ts'

const adminKey = 'an admin key of a test'
const embedded = { variations: { sessions: { type: 'embedded' } } }

async function documentOf (t: Test, config: object, options: Parameters<typeof startGateway>[2] = {}): Promise<OpenApiDocument & TestGateway> {
  const gateway = await startGateway(t, config, { authentication: {}, ...options })
  return { ...gateway, ...(await gateway.app.inject('/docs/json')).json<OpenApiDocument>() }
}

const namesOf = ({ paths }: OpenApiDocument, path: string): string[] => paths[path]!['get']!.parameters!.map(({ name }) => name).sort()

t.test('/docs shows only what this configuration can do', async t => {
  const { paths } = await documentOf(t, { namespaces: { bare: { recommenders: { 'related-items': { similar: embedded } } } } })
  t.strictSame(Object.keys(paths), ['/related-items/bare/similar/{itemId}', '/health/live', '/health/ready', '/metrics'])
  const filter = 'arn:aws:personalize:eu-west-1:123456789012:filter/in-stock'
  const campaign = { type: 'personalize-campaign', arn: 'arn:aws:personalize:eu-west-1:123456789012:campaign/c', filters: [{ arn: filter }] }
  const both = await documentOf(t, {
    namespaces: {
      shop: {
        autoContext: { device: { type: 'string', default: 'desktop', rules: [] } },
        recommenders: { 'recommend-items': { plain: embedded, rich: { variations: { campaign }, experiments: { page: { method: 'weighted', weights: { campaign: 1 } } }, inferenceItemMetadata: { type: 'localdb' } } } },
        eventTargets: [{ type: 'embedded' }]
      }
    }
  })
  t.strictSame(namesOf(both, '/recommend-items/shop/plain/{userId}'), ['context', 'numResults', 'syntheticUser', 'userId'])
  t.strictSame(namesOf(both, '/recommend-items/shop/rich/{userId}'), ['context', 'decorateItems', 'feature', 'filter', 'filterValues', 'numResults', 'syntheticUser', 'userId'])
  const examples = Object.fromEntries(both.paths['/recommend-items/shop/rich/{userId}']!['get']!.parameters!.map(({ name, example, content }) => [name, example ?? content?.['application/json']?.example]))
  t.match(examples, { filter: 'in-stock', feature: 'page', context: { device: 'desktop' }, filterValues: undefined })
  t.ok(both.paths['/events/shop'])
  t.ok(both.paths['/items/shop'], 'localdb takes items')
  t.notOk(both.paths['/users/shop'])
})

t.test('examples of /docs are items that the namespace has, in lists whose commas are not encoded', async t => {
  const { app } = await documentOf(t, storeConfig)
  await sendEvents(t, app, 'somebody', ['tea', 'cup'])
  const { paths } = (await app.inject('/docs/json')).json<OpenApiDocument>()
  const exampleOf = (path: string, parameter: string): unknown => paths[path]!['get']!.parameters!.find(({ name }) => name === parameter)
  t.match(exampleOf('/rerank-items/store/ranking/{userId}/{itemIds}', 'itemIds'), { example: ['tea', 'cup'], schema: { type: 'array' }, style: 'simple', explode: false })
  t.match(exampleOf('/related-items/store/similar/{itemId}', 'itemId'), { example: 'tea' })
})

t.test('/explain declares its key, and is not shown where no key opens it', async t => {
  const { paths, ...rest } = await documentOf(t, storeConfig, { adminKey })
  const schemes = rest.components!['securitySchemes']
  t.match(schemes, { ApiKey: { type: 'apiKey', in: 'header', name: 'X-Api-Key' } })
  t.strictSame(paths['/explain/recommend-items/store/for-you/{userId}']!['get']!['security'], [{ ApiKey: [] }])
  t.strictSame(paths['/recommend-items/store/for-you/{userId}']!['get']!['security'], [], 'reads are open')
  t.strictSame(paths['/items/store']!['post']!['security'], [{ ApiKey: [] }])
  const closed = await documentOf(t, storeConfig)
  t.strictSame(Object.keys(closed.paths).filter(path => path.startsWith('/explain')), [])
})

t.test('the page of /docs has a Content-Security-Policy and the name of the product', async t => {
  const { app } = await startGateway(t)
  for (const url of ['/docs', '/docs/']) {
    const { headers, body } = await app.inject(url)
    t.match(headers['content-security-policy'], /^default-src 'none'; script-src 'self';/)
    t.match(body, '<title>Personalization Gateway</title>')
    t.match(headers, { 'x-content-type-options': 'nosniff', 'x-frame-options': 'SAMEORIGIN', 'referrer-policy': 'no-referrer' }, 'helmet')
    t.equal(headers['strict-transport-security'], undefined, 'the host is not the gateway\'s')
  }
  t.match(await app.inject('/docs/static/'), { statusCode: 302, headers: { location: '../' } })
})

t.test('in a browser, every example of /docs is answered with 200, and the console has no error', { skip: chromium === undefined && process.env['CI'] !== 'true' ? 'there is no Chromium' : false }, async t => {
  for (const basePath of ['', '/prod']) {
    await t.test(basePath || 'at the root', async t => {
      const { app } = await startGateway(t, { ...storeConfig, namespaces: { store: { ...storeConfig.namespaces.store, recommenders: { ...storeConfig.namespaces.store.recommenders, 'predicted-ratings': { ratings: embedded } } } } }, { basePath })
      const page = await openPage(t, `${await app.listen({ port: 0, host: '127.0.0.1' })}${basePath}/docs`)
      const statuses = await executeExamples(page)
      t.equal(Object.keys(statuses).length, 15)
      for (const [operation, status] of Object.entries(statuses)) t.equal(status, '200', operation)
      t.equal(await page.evaluate('document.title'), 'Personalization Gateway')
      t.strictSame(page.errors, [])
    })
  }
})

t.test('in a browser, every example of /docs is answered with 200 under docker/aws-config.json, on the local stand-ins', { skip: chromium === undefined && process.env['CI'] !== 'true' ? 'there is no Chromium' : false }, async t => {
  await startAws(t)
  const { app } = await startGateway(t, JSON.parse(readFileSync(packagedFile('docker/aws-config.json'), 'utf8')) as object)
  const url = `${await app.listen({ port: 0, host: '127.0.0.1' })}/docs`
  // The second time, the embedded recommender knows the items of the examples of events.
  for (const time of ['first', 'second']) {
    const page = await openPage(t, url)
    const statuses = await executeExamples(page)
    t.equal(Object.keys(statuses).length, 20, JSON.stringify(statuses))
    for (const [operation, status] of Object.entries(statuses)) t.equal(status, '200', `${operation}, the ${time} time`)
    t.strictSame(page.errors, [])
  }
})
