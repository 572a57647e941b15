import t, { type Test } from 'tap'
import { startAws } from '../support/aws.ts'
import { startHttpRecommender } from '../support/http-recommender.ts'
import { eventually } from '../support/eventually.ts'
import { startTestedShop, evenly } from '../support/tested-shop.ts'
import { turnedClock } from '../support/turned-clock.ts'
import { startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts'

const server = await startHttpRecommender(t)
t.beforeEach(() => {
  server.misbehave()
  server.answer(({ path }) => ({ body: { itemList: [path.split('/')[1], 'c'] } }))
})

interface Exposure {
  experiment: string
  variation: string
  items: Array<{ itemId: string, position: number, team?: string | null }>
  cache: string
  [more: string]: unknown
}
type Recorded = Array<{ body: { userId: string, eventList: Array<{ eventType: string, recommendationId: string, exposure: Exposure }> } }>

const recorded = (receiver: WebhookReceiver): Recorded => receiver.records() as unknown as Recorded

/** Starts a shop whose exposures are recorded by a webhook. */
async function start (t: Test, options: Parameters<typeof startTestedShop>[2] = {}) {
  const receiver = await startWebhookReceiver(t, null)
  const shop = await startTestedShop(t, server, { ...options, eventTargets: [{ type: 'embedded' }, { type: 'http', url: receiver.url }] })
  return { ...shop, receiver }
}

t.test('an exposure is counted on misses, hits, 304s and collapsed requests alike, once a window, for a variation that is cached as for one that is not', async t => {
  const uncached = { cacheControl: { userSpecified: { maxAge: 10, directives: 'private' }, server: { ttl: 0 } } }
  const { show, totals, userOf, receiver } = await start(t, { variations: { b: uncached } })
  const [ofA, ofB] = [await userOf('a'), await userOf('b')]
  for (const user of [ofA, ofB]) {
    const shown = await Promise.all(Array.from({ length: 5 }, async () => show(user)))
    await show(user)
    t.equal((await show(user, '', { 'if-none-match': String(shown[0]!.headers['etag']) })).status, 304)
  }
  const { users, multiple } = await totals()
  t.strictSame(new Map([...users].sort()), new Map([['a', 1], ['b', 1]]))
  t.equal(multiple, 0)
  await eventually('both are recorded', () => recorded(receiver).length >= 2)
  t.strictSame(recorded(receiver).map(({ body: { eventList: [event] } }) => event!.exposure.variation).sort(), ['a', 'b'])
})

t.test('users whose every request is a hit or a 304 by the cache of others are exposed, too', async t => {
  const clock = turnedClock(t)
  const { show, app, totals, userOf } = await start(t)
  const user = await userOf('b')
  const { headers } = await show(user)
  await totals()
  clock.pass(31 * 60 * 1000)
  const before = app.resources.experimentStats.of('shop/recommend-items/home/test').exposures.get('b')
  await show(user, '', { 'if-none-match': String(headers['etag']) })
  await totals()
  t.equal(app.resources.experimentStats.of('shop/recommend-items/home/test').exposures.get('b')! - before!, 1, 'a new window has its own exposure')
  t.equal((await totals()).users.get('b'), 1, 'which is the same user')
})

t.test('a HEAD request, an error and an answer of a fallback are no exposures', async t => {
  const { app, show, totals, userOf } = await start(t, { more: { fallback: ['a'] } })
  const [ofA, ofB] = [await userOf('a'), await userOf('b')]
  await app.inject({ method: 'HEAD', url: `/recommend-items/shop/home/${ofA}` })
  server.answer(({ path }) => path.startsWith('/b') ? { status: 500, body: {} } : { body: { itemList: ['a'] } })
  const shown = await show(ofB)
  t.match(shown, { status: 200, variation: 'a', matchedExperiment: undefined })
  t.equal((await app.inject(`/recommend-items/shop/home/${ofA}?numResults=0`)).statusCode, 400)
  t.equal((await totals()).users.size, 0)
})

t.test('an old answer in place of a failure (stale-if-error) is no exposure', async t => {
  const clock = turnedClock(t)
  const { app, show, totals, userOf } = await start(t)
  const user = await userOf('b')
  await app.inject({ method: 'HEAD', url: `/recommend-items/shop/home/${user}` })
  clock.pass(10 * 60 * 1000)
  server.answer(() => ({ status: 500, body: {} }))
  const { status, headers } = await show(user)
  t.match({ status, headers }, { status: 200, headers: { 'x-personalization-degraded': /./, 'cache-status': /stale-if-error/ } })
  t.equal((await totals()).users.size, 0)
})

t.test('with a short attribution, a user who keeps coming stays exposed', async t => {
  const clock = turnedClock(t)
  const { show, send, totals, userOf } = await start(t, { experiments: { test: { ...evenly, attribution: 60 } } })
  const user = await userOf('b')
  await show(user)
  await totals()
  clock.pass(40_000)
  await show(user)
  await totals()
  clock.pass(40_000)
  await send({ userId: user, eventList: [{ eventType: 'click', itemId: 'c' }] })
  const { metrics, unexposed } = await totals()
  t.equal(metrics.get('ctr')?.get('b')?.converted, 1)
  t.equal(unexposed.size, 0)
})

t.test('the record of an exposure tells everything of it, and names the user by a digest unless the document says otherwise', async t => {
  for (const userIds of [undefined, 'plain'] as const) {
    const { show, receiver, userOf } = await start(t, { experiments: { test: { ...evenly, ...(userIds === undefined ? {} : { exposureLog: { userIds } }) } } })
    const user = await userOf('b')
    const { recommendationId } = await show(user)
    await eventually('it is recorded', () => recorded(receiver).length > 0)
    const [{ body }] = recorded(receiver) as [Recorded[number]]
    t.match(body.userId, userIds === 'plain' ? user : /^[0-9a-f]{64}$/)
    t.match(body.eventList, [{
      eventType: 'exposure',
      recommendationId,
      exposure: {
        experiment: 'shop/recommend-items/home/test',
        feature: 'test',
        method: 'weighted',
        variation: 'b',
        placement: { action: 'recommend-items', recommender: 'home' },
        items: [{ itemId: 'b', position: 1 }, { itemId: 'c', position: 2 }],
        cache: 'miss'
      }
    }])
    if (userIds === undefined) t.notOk(JSON.stringify(recorded(receiver)).includes(user), 'neither in its path')
  }
})

t.test('no request waits for the records of exposures, and what targets do not take is counted', async t => {
  const { show, receiver, app, totals, userOf } = await start(t)
  receiver.answer(() => 400)
  t.match(await show(await userOf('a')), { status: 200 })
  await eventually('it is dropped', () => app.resources.experimentStats.droppedRecords > 0)
  t.equal((await totals()).users.get('a'), 1, 'and the exposure counts')
})

t.test('event trackers of Amazon Personalize get exposures as impressions where the document says so, and only there', async t => {
  for (const impressions of [true, undefined]) {
    const { aws } = await startAws(t)
    const receiver = await startWebhookReceiver(t, null)
    const { show, userOf } = await startTestedShop(t, server, {
      experiments: { test: { ...evenly, ...(impressions === undefined ? {} : { exposureLog: { impressions } }) } },
      eventTargets: [{ type: 'personalize-event-tracker', trackingId: 'tracker' }, { type: 'http', url: receiver.url }]
    })
    const userId = await userOf('b')
    const { recommendationId } = await show(userId)
    const calls = (): unknown[] => aws.requests.of('personalize-events').map(({ body }) => body)
    await eventually('the record is there', () => recorded(receiver).length === 1)
    if (impressions === undefined) t.strictSame(calls(), [])
    else {
      await eventually('the impression is there', () => calls().length === 1)
      t.match(calls(), [{ trackingId: 'tracker', userId, sessionId: userId, eventList: [{ eventType: 'impression', impression: ['b', 'c'], recommendationId }] }])
    }
  }
})
