import t from 'tap'
import { parseConfig } from '../../src/config/parse.ts'
import { eventually } from '../support/eventually.ts'
import { startHttpRecommender } from '../support/http-recommender.ts'
import { ask, cacheControl, itemsOf, shopDocument, startShop } from '../support/shop.ts'

const server = await startHttpRecommender(t)
const spare = await startHttpRecommender(t)
server.answer(({ path }) => ({ body: path.startsWith('/rank') ? { personalizedRanking: ['b', 'a'] } : { itemList: [{ itemId: 'a', score: 1, shelf: 7 }], recommendationId: 'r-1' } }))
spare.answer(({ path }) => ({ body: path.startsWith('/rank') ? { personalizedRanking: ['a', 'b'] } : { itemList: [{ itemId: 'spare' }] } }))
t.beforeEach(() => {
  server.misbehave()
  spare.misbehave()
  server.received.length = spare.received.length = 0
})

const main = { type: 'http', url: `${server.url}/{userId}` }
const other = { type: 'http', url: `${spare.url}/{userId}` }
const resilience = { retries: 0, timeout: 200, breaker: { failures: 1000 } }
const fallingBack = { variations: { main, other }, fallback: ['other'], resilience }

t.test('an answer that is not degraded says which variation gave it, and passes through what the provider said', async t => {
  const app = await startShop(t, { 'recommend-items': { r: fallingBack } })
  const { status, headers, body } = await ask(app, '/recommend-items/shop/r/u')
  t.strictSame([status, body], [200, { itemList: [{ itemId: 'a', score: 1, shelf: 7 }], recommendationId: 'r-1' }])
  t.equal(headers['x-personalization-variation'], 'main')
  t.notOk('x-personalization-degraded' in headers)
  t.equal(headers['cache-control'], 'private,max-age=10')
})

t.test('a degraded answer says so, and why, and is not kept for long', async t => {
  const app = await startShop(t, { 'recommend-items': { r: fallingBack }, 'related-items': { r: fallingBack } })
  for (const [failure, why] of [['500', 'unavailable'], ['429', 'throttled'], ['403', 'refused'], ['truncated-json', 'invalid-answer']] as const) {
    server.misbehave(failure)
    for (const [url, cacheable] of [['/recommend-items/shop/r/u', 'private,max-age=2'], ['/recommend-items/shop/r/u?syntheticUser=1', 'public,max-age=2'], ['/related-items/shop/r/i', 'public,max-age=2']] as const) {
      const answer = await ask(app, url)
      t.equal(answer.status, 200, failure)
      t.strictSame(itemsOf(answer), ['spare'])
      t.match(answer.headers, { 'x-personalization-variation': 'other', 'x-personalization-degraded': why, 'cache-control': cacheable }, failure)
    }
  }
})

t.test('a policy shorter than that of a degraded answer stays', async t => {
  server.misbehave('500')
  const short = { ...cacheControl, userSpecified: { maxAge: 1, directives: 'private' }, noUserSpecified: { maxAge: 0, directives: 'no-store' } }
  const app = await startShop(t, { 'recommend-items': { r: { ...fallingBack, cacheControl: short } }, 'related-items': { r: { ...fallingBack, cacheControl: short } } })
  t.equal((await ask(app, '/recommend-items/shop/r/u')).headers['cache-control'], 'private,max-age=1')
  t.equal((await ask(app, '/related-items/shop/r/i')).headers['cache-control'], 'no-store')
})

t.test('a degraded answer to a POST is stored by nobody', async t => {
  server.misbehave('500')
  const variations = { main: { ...main, url: `${server.url}/rank` }, other: { ...other, url: `${spare.url}/rank` } }
  const app = await startShop(t, { 'rerank-items': { r: { ...fallingBack, variations } } })
  const answer = await ask(app, '/rerank-items/shop/r/u', ['a', 'b'])
  t.match(answer, { status: 200, headers: { 'cache-control': 'no-store', 'x-personalization-degraded': 'unavailable' } })
  t.strictSame(itemsOf(answer), ['a', 'b'])
})

t.test('a fallback that fails, too, leaves the first error', async t => {
  server.misbehave('429')
  spare.misbehave('500')
  const app = await startShop(t, { 'recommend-items': { r: fallingBack } })
  const answer = await ask(app, '/recommend-items/shop/r/u')
  t.match(answer, { status: 429, headers: { 'retry-after': '1', 'cache-control': 'no-store' }, body: { type: 'Http', code: 'HttpThrottled' } })
  t.notOk('x-personalization-degraded' in answer.headers)
  t.equal(spare.received.length, 1)
})

t.test('what the caller did wrong has no fallback', async t => {
  server.misbehave('400')
  const app = await startShop(t, { 'recommend-items': { r: fallingBack } })
  t.match(await ask(app, '/recommend-items/shop/r/u'), { status: 400, body: { code: 'HttpBadRequest' } })
  t.equal(spare.received.length, 0)
})

t.test('after the deadline no other service is asked, but what is in this process is', async t => {
  server.misbehave('hang')
  const variations = { main, other, house: { type: 'embedded' } }
  const app = await startShop(t, { 'recommend-items': { remote: fallingBack, local: { variations, fallback: ['other', 'house'], resilience } } })
  // Several, since some timers ring a little before the deadline by the clock.
  const remote = await Promise.all(Array.from({ length: 30 }, async (_, i) => ask(app, `/recommend-items/shop/remote/u-${i}`)))
  for (const answer of remote) t.match(answer, { status: 504, body: { code: 'HttpTimeout' } })
  t.match(await ask(app, '/recommend-items/shop/local/u'), { status: 200, headers: { 'x-personalization-variation': 'house', 'x-personalization-degraded': 'timeout' } })
  t.equal(spare.received.length, 0)
})

t.test('retries and fallbacks share one deadline', async t => {
  server.misbehave('500')
  spare.misbehave('hang')
  const app = await startShop(t, { 'recommend-items': { r: { ...fallingBack, resilience: { ...resilience, retries: 5 } } } })
  const started = performance.now()
  t.match(await ask(app, '/recommend-items/shop/r/u'), { status: 503, body: { code: 'HttpUnavailable' } })
  const took = performance.now() - started
  t.ok(took < resilience.timeout + 300, `${Math.round(took)} ms`)
})

t.test('a hedge is served in the place of a provider that hangs, and what comes late is there for the next', async t => {
  server.misbehave('hang')
  const variations = { main, house: { type: 'embedded' } }
  const app = await startShop(t, { 'recommend-items': { r: { variations, cacheControl: { ...cacheControl, server: { ttl: 60 } }, resilience: { ...resilience, hedge: 'house' } } } })
  const started = performance.now()
  t.match(await ask(app, '/recommend-items/shop/r/u'), { status: 200, headers: { 'x-personalization-variation': 'house', 'x-personalization-degraded': 'timeout', 'cache-control': 'private,max-age=2' } })
  t.ok(performance.now() - started >= resilience.timeout - 2)
  server.release()
  await eventually('the late answer is kept', async () => (await ask(app, '/recommend-items/shop/r/u')).headers['x-personalization-variation'] === 'main')
  server.misbehave()
  const well = await ask(app, '/recommend-items/shop/r/another')
  t.match(well, { status: 200, headers: { 'x-personalization-variation': 'main' } })
  t.notOk('x-personalization-degraded' in well.headers)
})

t.test('a hedge that would have to wait itself is a mistake in the configuration', async t => {
  const document = shopDocument({ 'recommend-items': { r: { variations: { main, other }, resilience: { hedge: 'other' } } } })
  t.throws(() => parseConfig(JSON.stringify(document), 'test'), { name: 'ConfigError', findings: [{ pointer: '/namespaces/shop/recommenders/recommend-items/r/resilience/hedge', message: /embedded/ }] })
})
