import t from 'tap'
import { parseConfig } from '../../src/config/parse.ts'
import { warningsOf } from '../../src/config/warnings.ts'
import { pointAwsAt } from '../support/aws.ts'
import { startHttpRecommender } from '../support/http-recommender.ts'
import { ask, itemsOf, startShop } from '../support/shop.ts'

const lambda = { type: 'lambda', arn: 'arn:aws:lambda:us-east-1:123456789012:function:f' }
const sagemaker = { type: 'sagemaker', endpointName: 'e' }
const campaign = { type: 'personalize-campaign', arn: 'arn:aws:personalize:us-east-1:123456789012:campaign/c' }
const arn = 'arn:aws:personalize:us-east-1:123456789012:filter/in-stock'
const resilience = { retries: 0, timeout: 5000, breaker: { failures: 1000 } }
const values = `filterValues=${encodeURIComponent('{"A":"1"}')}`

t.test('a filter on a variation that cannot filter is refused, and so are filter values without a filter', async t => {
  const server = await startHttpRecommender(t)
  pointAwsAt(t, server.url)
  server.answer(() => ({ body: { itemList: [{ itemId: 'a' }], personalizedRanking: [{ itemId: 'a' }] } }))
  const http = { type: 'http', url: server.url }
  const all: Record<string, object> = { embedded: { type: 'embedded' }, http, lambda, sagemaker, campaign }
  const recommenders = Object.fromEntries(Object.entries(all).map(([name, v]) => [name, { variations: { v }, resilience }]))
  const app = await startShop(t, { 'recommend-items': recommenders, 'related-items': recommenders, 'rerank-items': recommenders })
  for (const name of Object.keys(all)) {
    for (const path of [`recommend-items/shop/${name}/u`, `related-items/shop/${name}/i`, `rerank-items/shop/${name}/u/a`]) {
      const filtered = await ask(app, `/${path}?filter=in-stock&${values}`)
      if (name === 'campaign') t.equal(filtered.status, 200, path)
      else t.match(filtered, { status: 400, body: { code: 'InvalidFilterParameter', message: new RegExp(`^filter: the variation "v" \\(${name}\\) .*cannot filter`) } }, path)
      t.match(await ask(app, `/${path}?${values}`), { status: 400, body: { code: 'InvalidFilterParameter', message: /^filterValues: expected a filter/ } }, path)
      t.equal((await ask(app, `/${path}?filterValues=%7B%7D`)).status, 200, 'a map with nothing in it says nothing')
      t.equal((await ask(app, `/${path}`)).status, 200, path)
    }
  }
  t.match(await ask(app, '/rerank-items/shop/lambda/u?filter=in-stock', ['a']), { status: 400 }, 'in a POST, too')
})

t.test('a fallback or a hedge that cannot filter does not answer a request with a filter', async t => {
  const server = await startHttpRecommender(t)
  pointAwsAt(t, server.url)
  server.misbehave('500')
  const variations = { v: campaign, house: { type: 'embedded' } }
  const app = await startShop(t, { 'recommend-items': { fallback: { variations, fallback: ['house'], resilience }, hedge: { variations, resilience: { ...resilience, hedge: 'house' } } } })
  for (const name of ['fallback', 'hedge']) {
    t.match(await ask(app, `/recommend-items/shop/${name}/u`), { status: 200, headers: { 'x-personalization-variation': 'house' } })
    t.match(await ask(app, `/recommend-items/shop/${name}/u?filter=in-stock`), { status: 503, body: { code: 'PersonalizeUnavailable' } }, name)
  }
})

t.test('validate warns of a filter in the document that has no effect', async t => {
  const cacheControl = {}
  const warnings = (recommender: object, root: object = {}): string[] =>
    warningsOf(parseConfig(JSON.stringify({ cacheControl, ...root, namespaces: { shop: { recommenders: { 'recommend-items': { r: recommender } } } } }), 'test'))
  const at = '/namespaces/shop/recommenders/recommend-items/r'
  const filters = [{ arn }]
  for (const [type, variation] of Object.entries({ embedded: { type: 'embedded' }, http: { type: 'http', url: 'http://h' }, lambda, sagemaker })) {
    t.strictSame(warnings({ variations: { v: { ...variation, filters } } }), [`${at}/variations/v/filters has no effect on ${at}/variations/v: a variation of type ${type} cannot filter`])
    t.strictSame(warnings({ variations: { c: campaign, v: variation } }, { filters }), [`/filters has no effect on ${at}/variations/v: a variation of type ${type} cannot filter`])
    t.strictSame(warnings({ variations: { v: variation } }), [])
  }
  t.strictSame(warnings({ variations: { v: { ...campaign, filters } } }), [])
  t.strictSame(warnings({ variations: { v: { type: 'http', url: 'http://h?f={filter}', filters } } }), [])
  const promotion = { name: 'sale', percentPromotedItems: 10, filterValues: { A: '1' } }
  t.strictSame(warnings({ variations: { v: { ...campaign, promotions: [promotion] } } }), [`${at}/variations/v/promotions/0/filterValues has no effect: the promotion has no filterArn`])
  t.strictSame(warnings({ variations: { v: { ...campaign, promotions: [{ ...promotion, filterArn: arn }] } } }), [])
})

t.test('an http template takes any query parameter as a placeholder, which is part of the cache key where it is used', async t => {
  const server = await startHttpRecommender(t)
  server.answer(({ path }) => ({ body: { itemList: [decodeURIComponent(path)] } }))
  const used = { type: 'http', url: `${server.url}/{category}/{userId}?c={category}&s={sort-by}&f={filter}` }
  const kept = { userSpecified: { maxAge: 60, directives: 'private' }, server: { ttl: 60 } }
  const app = await startShop(t, { 'recommend-items': { used: { variations: { v: used }, cacheControl: kept }, fixed: { variations: { v: { type: 'http', url: `${server.url}/fixed` } }, cacheControl: kept } } })
  const path = async (query: string): Promise<string | undefined> => itemsOf(await ask(app, `/recommend-items/shop/used/u${query}`))[0]
  t.equal(await path('?category=shoes'), '/shoes/u?c=shoes&s=&f=')
  t.equal(await path('?category=hats&sort-by=price%26x'), '/hats/u?c=hats&s=price&x&f=')
  t.equal(server.received.at(-1)!.path, '/hats/u?c=hats&s=price%26x&f=')
  t.equal(await path('?category=a%2F..%2Fb&filter=in-stock'), '/a/../b/u?c=a/../b&s=&f=in-stock', 'an http service whose template has {filter} can filter')
  t.equal(server.received.at(-1)!.path, '/a%2F..%2Fb/u?c=a%2F..%2Fb&s=&f=in-stock')

  const before = server.received.length
  for (const query of ['?category=shoes&other=1', '?other=2&category=shoes', '?category=shoes&sort-by=']) t.equal(await path(query), '/shoes/u?c=shoes&s=&f=', query)
  t.equal(server.received.length, before, 'what is not used is not part of the key')
  for (const query of ['', '?category=1', '?category=2', '?other=3']) t.equal((await ask(app, `/recommend-items/shop/fixed/u${query}`)).status, 200)
  t.equal(server.received.length, before + 1)

  t.match(await ask(app, '/recommend-items/shop/used/u?category=a&category=b'), { status: 400, body: { code: 'InvalidParameter', message: 'category: expected one value, got 2' } })
  t.match(await ask(app, '/recommend-items/shop/used/u?category=..'), { status: 400, body: { message: /^category: / } })
  const { paths } = (await app.inject('/docs/json')).json<{ paths: Record<string, { get: { parameters: Array<{ name: string, in: string }> } }> }>()
  const names = (name: string): string[] => paths[`/recommend-items/shop/${name}/{userId}`]!.get.parameters.map(parameter => parameter.name)
  t.strictSame(names('used').filter(name => ['category', 'sort-by', 'filter', 'filterValues'].includes(name)).sort(), ['category', 'filter', 'filterValues', 'sort-by'])
  t.strictSame(names('fixed').filter(name => ['category', 'sort-by', 'filter', 'filterValues'].includes(name)), [], 'what is refused is not promised')
})
