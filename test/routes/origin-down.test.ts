import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { eventually } from '../support/eventually.ts'
import { startGateway } from '../support/gateway.ts'
import { startHttpRecommender, type HttpRecommender } from '../support/http-recommender.ts'
import { ask, itemsOf, type Answer } from '../support/shop.ts'

const server = { ttl: 10, staleWhileRevalidate: 5, staleIfError: 100 }
const url = '/recommend-items/shop/home/u'

interface Store {
  app: FastifyInstance
  provider: HttpRecommender
  /** Lets time pass, in seconds. */
  pass: (seconds: number) => void
  answer: () => Promise<Answer>
}

async function startStore (t: Test, more: object = {}): Promise<Store> {
  const provider = await startHttpRecommender(t)
  let time = Date.UTC(2030, 0)
  let version = 0
  provider.answer(() => ({ body: { itemList: [{ itemId: `v${++version}` }] } }))
  const { app } = await startGateway(t, {
    cacheControl: { server, userSpecified: { maxAge: 60, directives: 'private' } },
    namespaces: {
      shop: {
        recommenders: { 'recommend-items': { home: { variations: { remote: { type: 'http', url: provider.url }, house: { type: 'embedded' } }, resilience: { retries: 0, timeout: 2000 }, ...more } } },
        eventTargets: [{ type: 'embedded' }]
      }
    }
  }, { now: () => time })
  return { app, provider, pass: seconds => { time += seconds * 1000 }, answer: async () => ask(app, url) }
}

const status = ({ headers }: Answer): string | undefined => headers['cache-status']

t.test('an answer lives through its ages: fresh, stale while it is made anew, stale while the provider is down, and then the fallback', async t => {
  const { provider, pass, answer } = await startStore(t, { fallback: ['house'] })
  t.strictSame(itemsOf(await answer()), ['v1'])
  pass(9)
  const hit = await answer()
  t.match(hit.headers, { 'cache-status': 'gateway-memory; hit; ttl=1', 'cache-control': 'private,max-age=60' })
  t.notOk('age' in hit.headers)
  pass(3)
  const stale = await answer()
  t.strictSame(itemsOf(stale), ['v1'])
  t.match(stale.headers, { 'cache-status': 'gateway-memory; hit; detail=stale-while-revalidate; ttl=-2', 'cache-control': 'private,max-age=2' })
  await eventually('it was made anew', async () => itemsOf(await answer())[0] === 'v2')

  provider.misbehave('503')
  pass(60)
  const down = await answer()
  t.equal(down.status, 200)
  t.strictSame(itemsOf(down), ['v2'])
  t.match(down.headers, { 'x-personalization-degraded': 'unavailable', 'x-personalization-variation': 'remote', 'cache-control': 'private,max-age=2' })
  t.match(status(down), /^gateway-memory; hit; detail=stale-if-error; ttl=-/)
  const asked = provider.received.length
  t.match((await answer()).headers, { 'x-personalization-degraded': 'unavailable' })
  t.equal(provider.received.length, asked, 'it is not asked again at once')
  pass(49)
  t.match(status(await answer()), 'stale-if-error', '109 of 110 seconds')
  t.ok(provider.received.length > asked, 'but after a while')

  pass(2)
  const fallback = await answer()
  t.equal(fallback.status, 200)
  t.match(fallback.headers, { 'x-personalization-variation': 'house', 'x-personalization-degraded': 'unavailable' })
  provider.misbehave()
  pass(3)
  t.match((await answer()).headers, { 'x-personalization-variation': 'remote', 'cache-status': 'gateway; fwd=stale; stored' }, 'and it is asked again when it is back')
})

t.test('without a fallback, what is too old is not served', async t => {
  const { provider, pass, answer } = await startStore(t)
  await answer()
  provider.misbehave('503')
  pass(109)
  t.equal((await answer()).status, 200)
  pass(2)
  const { status, headers, body } = await answer()
  t.equal(status, 503)
  t.match(body, { type: 'Http', code: 'HttpUnavailable' })
  t.match(headers, { 'retry-after': '1', 'cache-control': 'no-store' })
  t.notOk(headers['etag'])
})

t.test('what is older than the user\'s last event is not served even then', async t => {
  const { app, provider, pass, answer } = await startStore(t, { fallback: ['house'] })
  await answer()
  provider.misbehave('503')
  pass(20)
  t.match(status(await answer()), 'stale-if-error')
  const { statusCode } = await app.inject({ method: 'POST', url: '/events/shop', payload: { userId: 'u', eventList: [{ eventType: 'click', itemId: 'x' }] } })
  t.equal(statusCode, 200)
  t.match((await answer()).headers, { 'x-personalization-variation': 'house' })
})

t.test('what the caller did wrong is told the caller, whatever there is', async t => {
  const { provider, pass, answer } = await startStore(t, { fallback: ['house'] })
  await answer()
  provider.misbehave('400')
  pass(20)
  t.equal((await answer()).status, 400)
})
