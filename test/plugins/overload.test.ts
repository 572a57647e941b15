import { createServer } from 'node:http'
import t, { type Test } from 'tap'
import { eventually } from '../support/eventually.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { listen } from '../support/listen.ts'
import { readAllowedOrigins } from '../../src/base/allowed-origins.ts'

/** Starts a gateway that may have three requests in flight, before a provider that answers `quick` at once and others when told. */
async function startFull (t: Test): Promise<TestGateway & { release: () => void, asked: () => number }> {
  let waiting: Array<() => void> = []
  let asked = 0
  const url = await listen(t, createServer((request, response) => {
    asked++
    const answer = (): void => { response.setHeader('content-type', 'application/json').end('{"itemList":[{"itemId":"a"}]}') }
    if (request.url!.includes('quick')) answer()
    else waiting.push(answer)
  }))
  const config = {
    cacheControl: { server: { ttl: 300 } },
    resilience: { timeout: 10_000 },
    namespaces: { shop: { recommenders: { 'recommend-items': { r: { variations: { a: { type: 'http', url: `${url}/{userId}` } } } } }, eventTargets: [{ type: 'embedded' }] } }
  }
  const gateway = await startGateway(t, config, { mostInFlight: 3, corsOrigins: readAllowedOrigins('https://shop.example') })
  return {
    ...gateway,
    asked: () => asked,
    release () {
      for (const answer of waiting) answer()
      waiting = []
    }
  }
}

const list = (user: string): string => `/recommend-items/shop/r/${user}`
const event = { userId: 'ann', sessionId: 's', eventList: [{ eventType: 'view', itemId: 'a' }] }
const origin = 'https://shop.example'

t.test('overload: requests beyond the limit get 503 with Retry-After and CORS headers at once; hits and probes are answered', async t => {
  const { app, release, asked } = await startFull(t)
  t.equal((await app.inject(list('quick'))).statusCode, 200)
  const slow = ['one', 'two', 'three'].map(async user => app.inject(list(user)))
  await eventually('three are in flight', () => asked() === 4)
  const refused = {
    'a miss': await app.inject({ url: list('four'), headers: { origin } }),
    'a miss that was remembered': await app.inject({ url: list('four'), headers: { origin } }),
    events: await app.inject({ method: 'POST', url: '/events/shop', payload: event, headers: { origin } }),
    'a batch': await app.inject({ method: 'POST', url: '/events/shop/batch', payload: [event], headers: { origin } }),
    documentation: await app.inject({ url: '/docs/json', headers: { origin } })
  }
  for (const [what, answer] of Object.entries(refused)) {
    t.equal(answer.statusCode, 503, what)
    t.match(answer.json(), { type: 'Overload', code: 'Overloaded', requestId: answer.headers['x-request-id'] }, what)
    t.match(answer.headers, { 'retry-after': '1', 'access-control-allow-origin': origin }, what)
  }
  t.match((await app.inject(list('quick'))).headers['cache-status'], /^gateway-memory; hit/)
  for (const probe of ['/health/live', '/health/ready']) t.equal((await app.inject(probe)).statusCode, 200, probe)
  t.equal(asked(), 4, 'no provider was asked for the others')
  release()
  for (const answer of await Promise.all(slow)) t.equal(answer.statusCode, 200)
  t.equal((await app.inject({ method: 'POST', url: '/events/shop', payload: event })).statusCode, 200, 'there is room again')
  t.match((await app.inject('/metrics')).body, /^gateway_requests_refused_total\{priority="read"\} 3$/m)
})

t.test('overload: bulk requests give way before writes, and writes before reads', async t => {
  const { app, release, asked } = await startFull(t)
  const post = async (url: string, payload: object): Promise<number> => (await app.inject({ method: 'POST', url, payload })).statusCode
  const slow = [app.inject(list('one')), app.inject(list('two'))]
  await eventually('two are in flight', () => asked() === 2)
  t.equal(await post('/events/shop/batch', [event]), 503)
  t.equal(await post('/events/shop', event), 200)
  slow.push(app.inject(list('three')))
  await eventually('three are in flight', () => asked() === 3)
  t.equal(await post('/events/shop', event), 503)
  release()
  for (const answer of await Promise.all(slow)) t.equal(answer.statusCode, 200)
})

t.test('overload: a request whose client goes away gives its room back', async t => {
  const { app, asked, release } = await startFull(t)
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const leaving = new AbortController()
  const gone = ['one', 'two', 'three'].map(async user => fetch(url + list(user), { signal: leaving.signal }).then(() => 'answered', () => 'gone'))
  await eventually('three are in flight', () => asked() === 3)
  leaving.abort()
  t.strictSame(await Promise.all(gone), ['gone', 'gone', 'gone'])
  await eventually('there is room again', async () => (await fetch(url + list('quick'))).status === 200)
  release()
})
