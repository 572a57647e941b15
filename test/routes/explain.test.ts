import t, { type Test } from 'tap'
import type { AppOptions } from '../../src/app.ts'
import { autoContextConfig, phoneInSanFrancisco } from '../support/auto-context.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'

const adminKey = 'an admin key of a test'
const path = '/recommend-items/my-store/product-recommender/user-1'
const night = Date.parse('2026-07-15T23:30:00-07:00')

const start = async (t: Test, options: Partial<AppOptions> = {}): Promise<TestGateway> => startGateway(t, autoContextConfig(), { adminKey, authentication: {}, now: () => night, ...options })

t.test('a request is explained: rules, context, filter, variation and key', async t => {
  const { app } = await start(t)
  const { statusCode, headers, body } = await app.inject({ url: `/explain${path}?numResults=5&context={"city":"Oakland"}`, headers: { ...phoneInSanFrancisco, 'x-api-key': adminKey } })
  t.equal(statusCode, 200, body)
  t.equal(headers['cache-control'], 'no-store')
  t.match(JSON.parse(body), {
    action: 'recommend-items',
    namespace: 'my-store',
    recommender: 'product-recommender',
    variation: 'product-personalization',
    provider: 'personalize-campaign',
    localTime: { hour: 23, dayOfWeek: 2, month: 7, day: 15 },
    headers: { 'cloudfront-is-mobile-viewer': 'true', 'cloudfront-viewer-metro-code': '807' },
    rules: {
      autoContext: {
        deviceType: { type: 'string', values: ['Phone'], from: ['header-value (rule 2)'] },
        timeOfDay: { values: ['Night'], from: ['hour-of-day (rule 1)'] },
        city: { values: ['San Francisco'] }
      },
      autoDynamicFilterValues: { METRO_CODE: { values: ['807'] } }
    },
    context: { deviceType: 'Phone', timeOfDay: 'Night', city: 'Oakland' },
    filter: 'arn:aws:personalize:us-west-2:123456789012:filter/near',
    filterValues: { METRO_CODE: '"807"' },
    cacheKey: /user-1.*Oakland/,
    caching: /^not cached: .*cacheControl/,
    vary: /^cloudfront-is-desktop-viewer, .*cloudfront-viewer-time-zone$/
  })
})

t.test('what nobody says is shown as such, and what is not there is told', async t => {
  const { app } = await start(t)
  const explained = async (url: string): Promise<{ statusCode: number, body: string }> => app.inject({ url: `/explain${url}`, headers: { 'x-api-key': adminKey } })
  t.match(JSON.parse((await explained(path)).body), {
    headers: { 'cloudfront-viewer-city': null },
    rules: { autoContext: { deviceType: { values: ['Desktop'], from: ['default'] } }, autoDynamicFilterValues: {} },
    filterValues: {}
  })
  t.equal((await explained('/recommend-items/my-store/nothing/user-1')).statusCode, 404)
  t.match(await explained(`${path}?numResults=0`), { statusCode: 400, body: /numResults/ })
})

t.test('only who has the admin key may see it, and nobody where there is none', async t => {
  const { app } = await start(t)
  const answer = async (headers: Record<string, string>): Promise<unknown> => app.inject({ url: `/explain${path}`, headers }).then(({ statusCode, body }) => [statusCode, (JSON.parse(body) as { code: string }).code])
  t.strictSame(await answer({}), [401, 'Unauthorized'])
  t.strictSame(await answer({ 'x-api-key': `${adminKey} ` }), [401, 'Unauthorized'])
  const closed = await start(t, { adminKey: undefined })
  t.match(await closed.app.inject({ url: `/explain${path}`, headers: { 'x-api-key': 'undefined' } }), { statusCode: 401, body: /Unauthorized/ })
})

t.test('a filter of another region is not for a campaign of this one', async t => {
  const arn = (region: string, resource: string): string => `arn:aws:personalize:${region}:123456789012:${resource}`
  const near = (region: string, header: string): object => ({ arn: arn(region, 'filter/near'), autoDynamicFilterValues: { C: { type: 'string', rules: [{ type: 'header-value', header }] } } })
  const variations = { main: { type: 'personalize-campaign', arn: arn('eu-west-1', 'campaign/c') } }
  const filters = [near('us-east-1', 'x-us'), near('eu-west-1', 'x-eu')]
  const { app } = await startGateway(t, { filters, namespaces: { shop: { recommenders: { 'recommend-items': { home: { variations } } } } } }, { adminKey })
  for (const query of ['', '?filter=near']) {
    const { body } = await app.inject({ url: `/explain/recommend-items/shop/home/user-1${query}`, headers: { 'x-us': 'us', 'x-eu': 'eu', 'x-api-key': adminKey } })
    t.match(JSON.parse(body), { filter: query === '' ? arn('eu-west-1', 'filter/near') : 'near', filterValues: { C: '"eu"' }, vary: 'x-eu' }, query)
  }
})
