import { connect } from 'node:net'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { AppOptions } from '../../src/app.ts'
import { readAllowedOrigins } from '../../src/base/allowed-origins.ts'
import { readRates } from '../../src/limits/rates.ts'
import { eventually } from '../support/eventually.ts'
import { sendEvents, startGateway, storeConfig, type TestGateway } from '../support/gateway.ts'
import { needsRedis, startRedis } from '../support/redis-server.ts'

const url = '/recommend-items/store/for-you/ann'

async function startLimited (t: Test, rates: string, more: Partial<AppOptions> = {}, config: object = storeConfig): Promise<TestGateway> {
  return startGateway(t, config, { rates: readRates(rates), ...more })
}

/** Returns how many of some requests in a row are answered with 200. */
async function accepted ({ app }: TestGateway, count: number, options: object = {}): Promise<number> {
  let good = 0
  for (let i = 0; i < count; i++) if ((await app.inject({ url, ...options })).statusCode === 200) good++
  return good
}

t.test('rate limit: more requests than the rate get 429 with Retry-After, RateLimit and CORS headers; hits and 304s count', async t => {
  let now = 0
  const { app } = await startLimited(t, 'read:3/10s,write:1/10s', { corsOrigins: readAllowedOrigins('https://shop.example'), steady: () => now })
  const headers = { origin: 'https://shop.example' }
  await sendEvents(t, app, 'somebody', ['tea', 'cup'])
  const first = await app.inject({ url, headers })
  t.match(first.headers, { 'ratelimit-policy': '"read";q=3;w=10', ratelimit: '"read";r=2;t=10' })
  now = 4_000
  t.match((await app.inject({ url, headers })).headers, { 'cache-status': /hit/, ratelimit: '"read";r=1;t=6' })
  t.match(await app.inject({ url, headers: { ...headers, 'if-none-match': String(first.headers.etag) } }), { statusCode: 304, headers: { ratelimit: '"read";r=0;t=6' } })
  const refused = await app.inject({ url, headers })
  t.equal(refused.statusCode, 429)
  t.match(refused.headers, { 'retry-after': '6', ratelimit: '"read";r=0;t=6', 'access-control-allow-origin': 'https://shop.example' })
  t.match(refused.json(), { type: 'Overload', code: 'RateLimited' })
  t.equal((await app.inject({ url: '/nothing', headers })).statusCode, 404, 'a path without a route is answered before')
  t.equal((await app.inject('/docs/json')).statusCode, 429, 'the documentation is read')
  t.equal((await app.inject('/health/live')).statusCode, 200, 'probes are not limited')
  t.equal((await app.inject({ method: 'POST', url: '/events/store', payload: { userId: 'a', sessionId: 's', eventList: [{ eventType: 'view', itemId: 'tea' }] } })).statusCode, 429, 'the rate of writes')
  t.equal((await app.inject({ method: 'OPTIONS', url, headers: { ...headers, 'access-control-request-method': 'GET' } })).statusCode, 204, 'preflights are not limited')
  now = 10_000
  t.equal((await app.inject({ url, headers })).statusCode, 200, 'the next window')
})

t.test('rate limit: without RATE_LIMIT there is none', async t => {
  const { app } = await startGateway(t)
  t.equal((await app.inject(url)).headers['ratelimit-policy'], undefined)
})

t.test('rate limit: two clients behind two proxies have two buckets, and forged X-Forwarded-For entries make no new one', async t => {
  const gateway = await startLimited(t, 'read:2/1h', { trustProxy: ['10.0.0.0/8'] })
  const via = (proxy: string, forwarded: string): object => ({ remoteAddress: proxy, headers: { 'x-forwarded-for': forwarded } })
  t.equal(await accepted(gateway, 3, via('10.0.0.1', '203.0.113.1')), 2)
  t.equal(await accepted(gateway, 3, via('10.0.0.2', '203.0.113.2')), 2, 'another client')
  t.equal(await accepted(gateway, 3, via('10.0.0.2', '203.0.113.1')), 0, 'the first one through the other proxy')
  for (const forged of ['1.2.3.4', '10.9.9.9', 'unknown', '2001:db8::1', '1.1.1.1, 2.2.2.2']) t.equal(await accepted(gateway, 1, via('10.0.0.1', `${forged}, 203.0.113.1`)), 0, forged)
  t.equal(await accepted(gateway, 1, via('10.0.0.1', '9.9.9.9, 203.0.113.1, 10.0.0.7')), 0, 'two proxies in a row')
  t.equal(await accepted(gateway, 3, via('203.0.113.9', '5.5.5.5')), 2, 'somebody who is no proxy')
  t.equal(await accepted(gateway, 1, via('203.0.113.9', '6.6.6.6')), 0, 'forges in vain')
})

t.test('rate limit: without TRUST_PROXY no header names the client', async t => {
  const gateway = await startLimited(t, 'read:2/1h')
  t.equal(await accepted(gateway, 2), 2)
  for (const headers of [{ 'x-forwarded-for': '1.2.3.4' }, { forwarded: 'for=1.2.3.4' }, { 'x-real-ip': '1.2.3.4' }, { 'cloudfront-viewer-address': '1.2.3.4:5' }]) t.equal(await accepted(gateway, 1, { headers }), 0, JSON.stringify(headers))
})

t.test('rate limit: CloudFront-Viewer-Address names the client where only CloudFront can reach the gateway', async t => {
  const gateway = await startLimited(t, 'read:1/1h', { trustCloudFront: true })
  const from = (viewer: string): object => ({ headers: { 'cloudfront-viewer-address': viewer, 'x-forwarded-for': viewer } })
  t.equal(await accepted(gateway, 2, from('198.51.100.10:46532')), 1)
  t.equal(await accepted(gateway, 1, from('198.51.100.10:1')), 0, 'another port')
  t.equal(await accepted(gateway, 2, from('198.51.100.11:46532')), 1)
})

t.test('rate limit: clients without an address do not share one bucket', async t => {
  const gateway = await startLimited(t, 'read:2/1h')
  const folder = mkdtempSync(join(tmpdir(), 'gateway-socket-'))
  t.teardown(() => { rmSync(folder, { recursive: true, force: true }) })
  const socketFile = join(folder, 'gateway.sock')
  await gateway.app.listen({ path: socketFile })
  const ask = async (requests: number): Promise<string[]> => {
    const socket = connect(socketFile)
    const statuses: string[] = []
    while (statuses.length < requests) {
      socket.write(`GET ${url} HTTP/1.1\r\nHost: a\r\n\r\n`)
      const [chunk] = await once(socket, 'data') as [Buffer]
      statuses.push(chunk.toString().slice(9, 12))
    }
    socket.destroy()
    return statuses
  }
  t.strictSame(await ask(3), ['200', '200', '429'])
  t.strictSame(await ask(2), ['200', '200'])
})

t.test('rate limit: a namespace has rates of its own, in the place of those of the process', async t => {
  const config = { ...storeConfig, namespaces: { ...storeConfig.namespaces, store: { ...storeConfig.namespaces.store, rateLimit: { read: '2/1h' } } } }
  const gateway = await startLimited(t, 'read:1/1h', {}, config)
  t.equal(await accepted(gateway, 4), 2)
  t.equal((await gateway.app.inject('/recommend-items/mute/r/u')).statusCode, 404, 'the rate of the process')
  t.equal((await gateway.app.inject('/recommend-items/mute/r/u')).statusCode, 429)
  const alone = await startGateway(t, config)
  t.equal(await accepted(alone, 4), 2, 'also without RATE_LIMIT')
})

t.test('rate limit: two instances share the buckets in Redis, and count for themselves while it is killed or hangs', needsRedis, async t => {
  const redis = await startRedis(t)
  const more = { redisUrl: redis.url }
  const [one, other] = [await startLimited(t, 'read:6/1h', more), await startLimited(t, 'read:6/1h', { ...more, dataDir: t.testdirName })]
  await eventually('both are linked', () => one.app.cacheParts.redis!.up && other.app.cacheParts.redis!.up)
  const from = { remoteAddress: '203.0.113.1' }
  t.equal(await accepted(one, 4, from), 4)
  await eventually('Redis has the counter', async () => (await redis.client.keys('personalization:limit:*')).length === 1)
  t.equal(await accepted(other, 1, from), 1)
  await eventually('the other one knows', async () => (await other.app.inject({ url, ...from })).statusCode === 429)
  const [key = ''] = await redis.client.keys('personalization:limit:*')
  t.notMatch(key, '203.0.113.1', 'the address is not in Redis')
  t.ok(await redis.client.pttl(key) > 0, 'and the counter expires')

  const slowest = async (): Promise<number> => {
    let longest = 0
    for (let i = 0; i < 50; i++) {
      const began = performance.now()
      await one.app.inject({ url, remoteAddress: `198.51.100.${i}` })
      longest = Math.max(longest, performance.now() - began)
    }
    return longest
  }
  await one.app.inject({ url, remoteAddress: '198.51.100.200' })
  redis.pause()
  t.ok(await slowest() < 200, 'requests do not wait for a Redis that hangs')
  t.equal(await accepted(one, 8, { remoteAddress: '203.0.113.7' }), 6)
  redis.resume()
  await redis.kill()
  t.ok(await slowest() < 200, 'nor for one that is gone')
  t.equal(await accepted(one, 8, { remoteAddress: '203.0.113.8' }), 6)
})
