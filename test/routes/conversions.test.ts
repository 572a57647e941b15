import t from 'tap'
import { startHttpRecommender } from '../support/http-recommender.ts'
import { startTestedShop } from '../support/tested-shop.ts'

const server = await startHttpRecommender(t)
t.beforeEach(() => { server.answer(({ path }) => ({ body: { itemList: [path.split('/')[1], 'c'] } })) })

const click = (more: object = {}): object => ({ eventType: 'click', itemId: 'c', ...more })

t.test('events count by themselves for the variation that their user was exposed to: a rate once per user, a value as a sum up to its cap', async t => {
  const { show, send, totals, userOf } = await startTestedShop(t, server)
  const [ofA, ofB] = [await userOf('a'), await userOf('b')]
  for (const user of [ofA, ofB]) await show(user)
  await send({ userId: ofA, eventList: [click(), click(), { eventType: 'view', itemId: 'c' }] })
  await send({ userId: ofB, eventList: [{ eventType: 'purchase', eventValue: 20.5 }, { eventType: 'purchase', eventValue: 600 }, { eventType: 'purchase' }] })
  const { metrics, unexposed } = await totals()
  t.strictSame(metrics.get('ctr'), new Map([['a', { converted: 1, sum: 1, squares: 1 }]]))
  t.strictSame(metrics.get('revenue'), new Map([['b', { converted: 1, sum: 500, squares: 250_000 }]]))
  t.equal(unexposed.size, 0)
})

t.test('an event that is sent again counts once, in batches, too', async t => {
  const { app, show, send, totals, userOf } = await startTestedShop(t, server)
  const userId = await userOf('b')
  await show(userId)
  const body = { userId, eventList: [{ eventType: 'purchase', eventValue: 3, eventId: 'e-1' }] }
  for (let i = 0; i < 2; i++) t.match(await send(body), { status: 200 })
  t.equal((await app.inject({ method: 'POST', url: '/events/shop/batch', payload: [body, { userId, eventList: [{ eventType: 'purchase', eventValue: 4, eventId: 'e-2' }] }] })).statusCode, 200)
  t.equal((await totals()).metrics.get('revenue')!.get('b')!.sum, 7)
})

t.test('explicit conversions count, once by their eventId, and the answer says so', async t => {
  const { show, send, totals, userOf } = await startTestedShop(t, server)
  const userId = await userOf('a')
  await show(userId)
  const conversion = { recommender: 'home', feature: 'test', metric: 'revenue', value: 12, eventId: 'c-1' }
  for (let i = 0; i < 2; i++) t.match(await send({ userId, experimentConversions: [conversion] }), { status: 200, body: { conversions: 'counted' } })
  t.equal((await totals()).metrics.get('revenue')!.get('a')!.sum, 12)
  t.match(await send({ userId, experimentConversions: [{ recommender: 'other', metric: 'm' }] }), { status: 200, body: { conversions: /^not counted/ } })
})

t.test('what is done without an exposure is counted apart', async t => {
  const { send, totals } = await startTestedShop(t, server)
  await send({ userId: 'stranger', eventList: [click()] })
  const { unexposed, metrics } = await totals()
  t.equal(unexposed.get('ctr'), 1)
  t.equal(metrics.size, 0)
})

t.test('a recommendation id proves the variation, also to an instance that knows nothing of the exposure', async t => {
  const secret = { recommendationIdSecret: 's'.repeat(32) }
  const [one, other] = [await startTestedShop(t, server, {}, secret), await startTestedShop(t, server, {}, secret)]
  const userId = await one.userOf('b')
  const { recommendationId } = await one.show(userId)
  await other.send({ userId, eventList: [click({ recommendationId })] })
  t.strictSame((await other.totals()).metrics.get('ctr'), new Map([['b', { converted: 1, sum: 1, squares: 1 }]]))
  t.strictSame((await other.totals()).users, new Map([['b', 1]]))
})

t.test('an id with one byte changed, of another user, namespace or list, is credited to nothing, and counted', async t => {
  const { app, show, send, totals, userOf } = await startTestedShop(t, server)
  const userId = await userOf('b')
  const neighbour = await userOf('b', [userId])
  const { recommendationId } = await show(userId)
  const bytes = Buffer.from(recommendationId, 'base64url')
  let sent = 0
  const isIgnored = async (body: object, namespace?: string): Promise<void> => {
    sent++
    t.match(await send(body, namespace), { status: 200 })
    t.equal(app.resources.experimentStats.foreignIds, sent)
  }
  for (let i = 0; i < bytes.length; i++) {
    const forged = Buffer.from(bytes)
    forged[i]! ^= 1 << i % 8
    await isIgnored({ userId, eventList: [click({ recommendationId: forged.toString('base64url') })] })
  }
  await isIgnored({ userId: neighbour, eventList: [click({ recommendationId })] })
  await isIgnored({ userId, eventList: [click({ recommendationId })] }, 'mall')
  const ofOther = JSON.parse((await app.inject(`/recommend-items/shop/other/${userId}`)).body) as { recommendationId: string }
  await send({ userId, eventList: [click({ recommendationId: ofOther.recommendationId })] })
  t.equal(app.resources.experimentStats.foreignIds, sent, 'the id of another list of the user is genuine, and counts for nothing')
  t.equal((await totals()).metrics.size, 0)
  t.equal((await totals('mall/recommend-items/home/test')).metrics.size, 0)
  await send({ userId, eventList: [click({ recommendationId })] })
  t.equal((await totals()).metrics.get('ctr')!.get('b')!.converted, 1)
})

t.test('for an id of the provider, the list is looked up among those that the user was exposed to', async t => {
  let made = 0
  server.answer(() => ({ body: { itemList: ['c'], recommendationId: `RID-${++made}` } }))
  const { app, show, send, totals, userOf } = await startTestedShop(t, server)
  const userId = await userOf('a')
  t.equal((await show(userId)).recommendationId, 'RID-1')
  await send({ userId, eventList: [{ eventType: 'view', itemId: 'c' }] })
  t.equal((await show(userId)).recommendationId, 'RID-2', 'a list made anew within the window')
  await totals()
  await send({ userId, eventList: [click({ recommendationId: 'RID-9' })] })
  t.equal((await totals()).metrics.size, 0)
  t.equal(app.resources.experimentStats.foreignIds, 1)
  await send({ userId, eventList: [{ eventType: 'purchase', eventValue: 5, recommendationId: 'RID-2' }, { eventType: 'purchase', eventValue: 6, recommendationId: 'RID-1' }] })
  t.equal((await totals()).metrics.get('revenue')!.get('a')!.sum, 11)
})

t.test('a conversion counts for the variation of the exposure, also when the experiment has since changed', async t => {
  const { app, configFile, show, send, totals, userOf } = await startTestedShop(t, server)
  const userId = await userOf('b')
  await show(userId)
  await totals()
  const { rewrite } = await import('../support/gateway.ts')
  const { testedDocument, evenly } = await import('../support/tested-shop.ts')
  rewrite(configFile, testedDocument(server, { experiments: { test: { ...evenly, weights: { a: 1 } } } }))
  const { eventually } = await import('../support/eventually.ts')
  await eventually('the new document serves', () => app.config.plan.generation === 2)
  await send({ userId, eventList: [click()] })
  t.strictSame((await totals()).metrics.get('ctr'), new Map([['b', { converted: 1, sum: 1, squares: 1 }]]))
  await show(userId)
  t.equal((await totals()).multiple, 1, 'and who is moved is seen in two')
})

t.test('a value beyond all measure is ignored, and told where it is sent explicitly', async t => {
  const { show, send, totals, userOf } = await startTestedShop(t, server)
  const userId = await userOf('a')
  await show(userId)
  const sent = await send({ userId, eventList: [1e308, -1e308, 3].map(eventValue => ({ eventType: 'purchase', eventValue })), experimentConversions: [{ recommender: 'home', metric: 'revenue', value: 1e300 }] })
  t.match(sent, { status: 207, body: { refusedConversions: [{ index: 0, message: /^body\/experimentConversions\/0\/value: / }] } })
  t.equal((await totals()).metrics.get('revenue')!.get('a')!.sum, 3)
})
