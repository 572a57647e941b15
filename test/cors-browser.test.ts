import { createServer } from 'node:http'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { readAllowedOrigins } from '../src/base/allowed-origins.ts'
import { chromium, openPage, type Page } from './support/browser.ts'
import { eventually } from './support/eventually.ts'
import { sendEvents, startGateway, storeConfig } from './support/gateway.ts'
import { listen } from './support/listen.ts'
import { needsRedis, startRedis } from './support/redis-server.ts'

const needsChromium = { skip: chromium === undefined && process.env['CI'] !== 'true' ? 'there is no Chromium' : needsRedis.skip ?? false }
const adminKey = 'an admin key of a test'

/** Opens an empty page of an origin of its own. */
async function pageOf (t: Test): Promise<{ page: Page, origin: string }> {
  const server = createServer((_request, response) => { response.setHeader('content-type', 'text/html').end('<!doctype html><title>shop</title>') })
  const origin = await listen(t, server)
  const page = await openPage(t, origin)
  await eventually('the page is open', async () => await page.evaluate('location.origin') === origin)
  return { page, origin }
}

t.test('CORS in a real browser: pages of two origins call the gateway, and a third one cannot', needsChromium, async t => {
  const redis = await startRedis(t)
  const [one, two, evil] = [await pageOf(t), await pageOf(t), await pageOf(t)]
  const lines: Array<{ route?: string, status?: number }> = []
  const logger = pino({ level: 'info' }, { write (line: string) { lines.push(JSON.parse(line) as object) } })
  const { app } = await startGateway(t, storeConfig, { corsOrigins: readAllowedOrigins(`${one.origin},${two.origin}`), redisUrl: redis.url, authentication: {}, adminKey, logger })
  await sendEvents(t, app, 'somebody', ['tea', 'cup'])
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const list = `${url}/recommend-items/store/for-you/ann`
  const event = JSON.stringify({ userId: 'ann', sessionId: 's', eventList: [{ eventType: 'view', itemId: 'tea' }] })

  const fetched = async ({ page }: { page: Page }, address: string, options = '{}'): Promise<unknown> => page.evaluate(
    `fetch('${address}', ${options}).then(async r => ({ status: r.status, etag: r.headers.get('etag'), cache: r.headers.get('cache-status'), id: r.headers.get('x-request-id'), version: r.headers.get('x-personalization-config-version'), body: await r.json() }), error => error.name)`
  )

  t.match(await fetched(one, list), { status: 200, etag: /^"/, version: '7', body: { itemList: [] } })
  t.match(await fetched(two, list), { status: 200, cache: /^gateway-(memory|redis); hit/ }, 'the entry of the first page')
  const keyed = `{ headers: { 'x-api-key': '${adminKey}' } }`
  t.match(await fetched(two, `${url}/explain/recommend-items/store/for-you/ann`, keyed), { status: 200, body: { cacheKey: /./ } }, 'a GET with a key')
  const put = `{ method: 'POST', headers: { 'content-type': 'application/json' }, body: ${JSON.stringify(event)} }`
  t.match(await fetched(one, `${url}/events/store`, put), { status: 200, body: { targets: { embedded: 'delivered' } } })
  t.match(await fetched(one, `${url}/recommend-items/store/nothing/ann`), { status: 404, id: /./, body: { code: 'RecommenderNotConfigured' } }, 'an error can be read')
  t.match(await fetched(one, `${list}?numResults=x`), { status: 400, body: { code: 'InvalidParameter' } })
  t.match(await fetched(one, `${url}/explain/recommend-items/store/for-you/ann`), { status: 401 })

  t.equal(await fetched(evil, list), 'TypeError')
  t.equal(await fetched(evil, `${url}/events/store`, put), 'TypeError')

  const delivered = (): number => lines.filter(({ route, status }) => route === '/events/:namespace' && status === 200).length
  const before = delivered()
  t.equal(await two.page.evaluate(`navigator.sendBeacon('${url}/events/store', new Blob([${JSON.stringify(event)}], { type: 'application/json' }))`), true)
  await eventually('the beacon with JSON, which has a preflight with credentials, has arrived', async () => delivered() === before + 1)
  await one.page.evaluate(`addEventListener('pagehide', () => { navigator.sendBeacon('${url}/events/store', ${JSON.stringify(event)}) }); setTimeout(() => { location.href = 'about:blank' })`)
  await eventually('the beacon of the page that is left has arrived', async () => delivered() === before + 2)
})

t.test('CORS in a real browser: one entry of Redis serves both origins', needsChromium, async t => {
  const redis = await startRedis(t)
  const [one, two] = [await pageOf(t), await pageOf(t)]
  const corsOrigins = readAllowedOrigins(`${one.origin},${two.origin}`)
  const first = await startGateway(t, storeConfig, { corsOrigins, redisUrl: redis.url })
  await sendEvents(t, first.app, 'somebody', ['tea', 'cup'])
  const path = '/related-items/store/similar/tea'
  const ask = async ({ page }: { page: Page }, url: string): Promise<unknown> => page.evaluate(`fetch('${url}${path}').then(r => r.headers.get('cache-status'), error => error.name)`)
  t.match(await ask(one, await first.app.listen({ port: 0, host: '127.0.0.1' })), /fwd=miss|hit/)
  await eventually('Redis has the entry', async () => (await redis.client.keys('personalization:{*}')).length > 0)
  const second = await startGateway(t, storeConfig, { corsOrigins, redisUrl: redis.url, dataDir: t.testdirName })
  t.match(await ask(two, await second.app.listen({ port: 0, host: '127.0.0.1' })), /^gateway-redis; hit/)
})
