import t, { type Test } from 'tap'
import { eventually } from '../support/eventually.ts'
import { startHttpRecommender } from '../support/http-recommender.ts'
import { needsRedis, startRedis } from '../support/redis-server.ts'
import { startTestedShop } from '../support/tested-shop.ts'
import { turnedClock } from '../support/turned-clock.ts'

const server = await startHttpRecommender(t)
const lists: Record<string, string[]> = { a: ['s', 'a1', 'a2', 'a3', 'a4'], b: ['s', 'b1', 'b2', 'a2', 'b3'] }
t.beforeEach(() => {
  server.misbehave()
  server.received.length = 0
  server.answer(({ path }) => ({ body: { itemList: lists[path.split('/')[1]!]!.map((itemId, i) => ({ itemId, score: `${i}` === '0' ? 1.5 : i })) } }))
})

const interleaved = { method: 'interleave', variations: ['a', 'b'], metrics: { clicks: { event: 'click' } } }
const start = async (t: Test, more: object = {}, variations: Record<string, object> = {}) => startTestedShop(t, server, { experiments: { test: { ...interleaved, ...more } }, variations })

t.test('a user gets one list of the items of both variations, drafted in rounds of two', async t => {
  const { show } = await start(t)
  const orders = new Set<string>()
  for (let i = 0; i < 12; i++) {
    const { items, variation, matchedExperiment, recommendationId, status } = await show(`u${i}`)
    t.equal(status, 200)
    t.equal(variation, 'a+b')
    t.strictSame(matchedExperiment, { type: 'interleave', feature: 'test', details: { variations: ['a', 'b'] } })
    t.match(recommendationId, /^[\w-]{40}$/)
    t.equal(items[0], 's', 'which both would place first')
    t.strictSame([...items.slice(1, 3)].sort(), ['a1', 'b1'])
    t.strictSame([...items.slice(3, 5)].sort(), ['a2', 'b2'])
    t.strictSame(new Set(items), new Set([...lists['a']!, ...lists['b']!]))
    orders.add(items.join())
  }
  t.ok(orders.size > 1, 'the coin of another user falls otherwise')
})

t.test('a longer list begins as a shorter one, and the same list again is equal to the byte', async t => {
  const { app, show } = await start(t)
  for (let i = 0; i < 5; i++) {
    const { items } = await show(`u${i}`)
    for (const size of [1, 3, 5]) t.strictSame((await show(`u${i}`, `?numResults=${size}`)).items, items.slice(0, size))
    const [first, second] = [await app.inject(`/recommend-items/shop/home/u${i}`), await app.inject(`/recommend-items/shop/home/u${i}`)]
    t.equal(first.body, second.body)
    t.equal(first.headers.etag, second.headers.etag)
    t.equal((await app.inject({ url: `/recommend-items/shop/home/u${i}`, headers: { 'if-none-match': String(first.headers.etag) } })).statusCode, 304)
  }
})

t.test('both lists are cached, and answers are private', async t => {
  const { show } = await start(t)
  await show('u')
  t.equal(server.received.length, 2)
  const { headers } = await show('u')
  t.equal(server.received.length, 2)
  t.match(headers, { 'cache-status': /^gateway-memory; hit/, 'cache-control': /^private/ })
})

t.test('where one variation fails or is late, the list of the other goes out, with no exposure', async t => {
  for (const failing of ['a', 'b']) {
    const { show, totals } = await start(t)
    server.answer(({ path }) => path.startsWith(`/${failing}`) ? { status: 500, body: {} } : { body: { itemList: ['x', 'y'] } })
    const { status, items, matchedExperiment, variation } = await show('u')
    t.strictSame([status, items, matchedExperiment, variation], [200, ['x', 'y'], undefined, failing === 'a' ? 'b' : 'a'])
    t.equal((await totals()).users.size, 0)
  }
  const { app } = await start(t)
  server.answer(() => ({ status: 500, body: {} }))
  t.equal((await app.inject('/recommend-items/shop/home/u')).statusCode, 503)
})

t.test('the list of one variation that goes out alone is never public, whichever variation fails', async t => {
  for (const failing of ['a', 'b']) {
    const { show } = await start(t)
    server.answer(({ path }) => path.startsWith(`/${failing}`) ? { status: 500, body: {} } : { body: { itemList: ['x', 'y'] } })
    t.match((await show('u')).headers['cache-control'], /^private/, `${failing} fails`)
  }
})

t.test('a blend with a stale list of either variation is kept downstream as briefly as that list', async t => {
  const clock = turnedClock(t)
  for (const stale of ['a', 'b']) {
    const cacheControl = { userSpecified: { maxAge: 10, directives: 'private' }, server: { ttl: 20, staleWhileRevalidate: 600 } }
    const { show } = await start(t, {}, { [stale]: { cacheControl } })
    t.match((await show('u')).headers['cache-control'], /max-age=10/)
    clock.pass(60_000)
    t.match((await show('u')).headers, { 'cache-control': /max-age=2/, 'cache-status': /stale/ }, `${stale} is stale`)
  }
})

t.test('digits of numbers stay as the provider wrote them', async t => {
  const { app } = await start(t)
  server.answer(({ path }) => ({ body: `{"itemList":[{"itemId":"${path.split('/')[1]!}","score":1.50,"group":15793596764604417,"text":"]}\\"{["}]}` }))
  const { body } = await app.inject('/recommend-items/shop/home/u')
  t.match(body, /"score":1\.50,"group":15793596764604417,"text":"\]\}\\"\{\["/)
  t.equal((JSON.parse(body) as { itemList: object[] }).itemList.length, 2)
})

t.test('clicks count for the variation that placed the item, once per user, and shared items for neither', async t => {
  const { show, send, totals } = await start(t)
  const click = async (userId: string, itemId: string, more: object = {}): Promise<void> => { t.match(await send({ userId, eventList: [{ eventType: 'click', itemId, ...more }] }), { status: 200 }) }
  for (const user of ['u1', 'u2', 'u3', 'u4', 'u5']) await show(user, '?numResults=5')
  await click('u1', 'a1')
  await click('u1', 'a2')
  await click('u2', 'b1')
  await click('u3', 's')
  await click('u4', 'a1')
  await click('u4', 'b1')
  await click('u5', 'never shown')
  await click('nobody', 'a1')
  const { users, metrics, positions } = await totals()
  t.equal(users.get('interleaved'), 5)
  t.strictSame(metrics.get('clicks')?.get('interleaved'), { converted: 2, sum: 0, squares: 2 }, 'u1 prefers a, u2 b, u3 and u4 neither')
  t.strictSame(positions, { contested: 20, all: 25 })
})

t.test('a click with the id of the blend counts by that list', async t => {
  const { show, send, totals } = await start(t)
  const { recommendationId } = await show('u')
  const { recommendationId: ofAnother } = await show('v')
  await send({ userId: 'u', eventList: [{ eventType: 'click', itemId: 'b1', recommendationId: ofAnother }] })
  t.equal((await totals()).metrics.size, 0)
  await send({ userId: 'u', eventList: [{ eventType: 'click', itemId: 'b1', recommendationId }] })
  t.strictSame((await totals()).metrics.get('clicks')?.get('interleaved'), { converted: 1, sum: 1, squares: 1 })
})

t.test('a click while Redis does not answer is credited by its list once Redis answers again', needsRedis, async t => {
  const redis = await startRedis(t)
  const { app, show, send, totals } = await startTestedShop(t, server, { experiments: { test: interleaved } }, { redisUrl: redis.url })
  const { recommendationId } = await show('u')
  t.equal((await totals()).users.get('interleaved'), 1)
  redis.pause()
  await eventually('Redis is away', async () => {
    await show('v')
    return app.cacheParts.redis?.state === 'away'
  })
  t.match(await send({ userId: 'u', eventList: [{ eventType: 'click', itemId: 'b1', recommendationId }] }), { status: 200 })
  redis.resume()
  await eventually('it is credited', async () => (await totals().catch(() => undefined))?.metrics.get('clicks')?.get('interleaved')?.sum === 1)
  t.equal(app.resources.experimentStats.foreignIds, 0)
})
