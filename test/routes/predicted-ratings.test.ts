import t from 'tap'
import { startHttpRecommender } from '../support/http-recommender.ts'
import { ask, startShop } from '../support/shop.ts'

const rating = (itemId: string): number | null => itemId.startsWith('unknown') ? null : itemId.length / 2
const mapped = { request: '{"user": userId, "pairs": [itemIds]}', response: '{"ratings": scores}' }

const server = await startHttpRecommender(t)
server.answer(({ body }) => ({ body: { scores: (body as { pairs: string[] }).pairs.map(rating) } }))
t.beforeEach(() => { server.received.length = 0 })

const variation = { type: 'http', url: server.url, method: 'POST', ...mapped }
const shop = { 'predicted-ratings': { r: { variations: { v: variation }, resilience: { retries: 0, breaker: { failures: 1000 } } } } }

t.test('ratings come in the order asked, null where there is none', async t => {
  const app = await startShop(t, shop)
  for (const items of [['a'], ['a', 'bb', 'ccc'], ['ccc', 'a', 'bb'], ['a', 'a'], ['unknown-1', 'a', 'unknown-2'], ['unknown'], ['a b', 'ü', '🛒', '%']]) {
    const { status, headers, body } = await ask(app, `/predicted-ratings/shop/r/user-1?items=${items.map(encodeURIComponent).join(',')}`)
    t.match([status, body], [200, { ratings: items.map(rating), recommendationId: String }], items.join())
    t.match(headers, { 'content-type': 'application/json; charset=utf-8', 'x-personalization-variation': 'v', 'cache-control': 'private,max-age=10' })
    t.strictSame(server.received.at(-1)!.body, { user: 'user-1', pairs: items })
  }
})

t.test('many can be rated at once, and no more than that', async t => {
  const app = await startShop(t, shop)
  const items = (count: number): string => Array.from({ length: count }, (_, i) => `i${i}`).join(',')
  const { status, body } = await ask(app, `/predicted-ratings/shop/r/user-1?items=${items(500)}`)
  t.equal(status, 200)
  t.equal((body['ratings'] as unknown[]).length, 500)
  t.match(await ask(app, `/predicted-ratings/shop/r/user-1?items=${items(501)}`), { status: 400, body: { code: 'InvalidParameter', message: 'items: expected at most 500 item ids, got 501' } })
})

t.test('what is wrong with the items is said', async t => {
  const app = await startShop(t, shop)
  for (const [query, message] of [['', /^items: /], ['?items=', /^items: /], ['?items=a,,b', /^items: item id 2 is empty/], [`?items=a,${'x'.repeat(257)}`, /^items: item id 2 is too long/]] as const) {
    t.match(await ask(app, `/predicted-ratings/shop/r/user-1${query}`), { status: 400, body: { type: 'Validation', code: 'InvalidParameter', message } }, query)
  }
  t.match(await ask(app, '/predicted-ratings/shop/other/user-1?items=a'), { status: 404, body: { code: 'RecommenderNotConfigured' } })
  t.equal(server.received.length, 0)
})

t.test('context goes to the model, and a user who stands for many has a policy of its own', async t => {
  const app = await startShop(t, { 'predicted-ratings': { r: { variations: { v: { ...variation, request: '{"user": userId, "pairs": [itemIds], "on": context.device}' } } } } })
  const { headers } = await ask(app, '/predicted-ratings/shop/r/user-1?items=a&context={"device":"tv"}&syntheticUser=true')
  t.equal(headers['cache-control'], 'public,max-age=300')
  t.strictSame(server.received[0]!.body, { user: 'user-1', pairs: ['a'], on: 'tv' })
})

t.test('as many ratings as items, or no answer', async t => {
  const app = await startShop(t, { 'predicted-ratings': { r: { variations: { v: { ...variation, response: '{"ratings": [scores[0], 2]}' } }, resilience: { breaker: { failures: 1000 } } } } })
  t.match(await ask(app, '/predicted-ratings/shop/r/u?items=a,b'), { status: 200 })
  for (const items of ['a', 'a,b,c']) t.match(await ask(app, `/predicted-ratings/shop/r/u?items=${items}`), { status: 502, body: { code: 'HttpInvalidAnswer' } }, items)
})

t.test('a model that is not there is answered for by another', async t => {
  const dead = { type: 'http', url: 'http://127.0.0.1:1/', ...mapped, method: 'POST' }
  const app = await startShop(t, { 'predicted-ratings': { r: { variations: { dead, v: variation }, fallback: ['v'], resilience: { retries: 0 } } } })
  const { status, headers, body } = await ask(app, '/predicted-ratings/shop/r/u?items=a,bb')
  t.match([status, body], [200, { ratings: [0.5, 1] }])
  t.match(headers, { 'x-personalization-degraded': 'unavailable', 'x-personalization-variation': 'v', 'cache-control': 'private,max-age=2' })
})
