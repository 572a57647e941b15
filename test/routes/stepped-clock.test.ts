import t from 'tap'
import { get, startCachedShop } from '../support/cached-shop.ts'
import { eventually } from '../support/eventually.ts'
import { startHttpRecommender } from '../support/http-recommender.ts'
import { turnedClock } from '../support/turned-clock.ts'

const hour = 3_600_000
const url = '/recommend-items/shop/r/u'

t.test('a clock that is stepped back, or forward, leaves the age of an answer as it is', async t => {
  for (const step of [-hour, hour]) {
    const clock = turnedClock(t)
    const server = await startHttpRecommender(t)
    const { app } = await startCachedShop(t, server, { cacheControl: { userSpecified: { maxAge: 10, directives: 'private' }, server: { ttl: 60, staleWhileRevalidate: 0 } } })
    await get(app, url)
    clock.step(step)
    t.match((await get(app, url)).headers['cache-status'], /^gateway-memory; hit; ttl=[56]\d$/)
    clock.pass(61_000)
    t.match((await get(app, url)).headers['cache-status'], /; fwd=stale; stored$/)
    t.equal(server.received.length, 2)
  }
})

t.test('a circuit that opened before the clock was stepped back closes in its time', async t => {
  const clock = turnedClock(t)
  const server = await startHttpRecommender(t)
  const { app } = await startCachedShop(t, server, { cacheControl: {}, resilience: { retries: 0, timeout: 5_000, breaker: { failures: 1, probeInterval: 10_000 } } })
  server.misbehave('503')
  t.equal((await get(app, url)).statusCode, 503)
  clock.pass(1_500)
  await eventually('the circuit is open', async () => (await get(app, url)).body.includes('"CircuitOpen"'))
  server.misbehave()
  clock.step(-hour)
  clock.pass(11_000)
  t.equal((await get(app, url)).statusCode, 200)
})
