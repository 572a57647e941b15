import { setImmediate as settled } from 'node:timers/promises'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import t, { type Test } from 'tap'
import { cachedDocument, get, isHit, startCachedShop } from '../support/cached-shop.ts'
import { eventually } from '../support/eventually.ts'
import { rewrite, sendEvents, startGateway } from '../support/gateway.ts'
import { startHttpRecommender } from '../support/http-recommender.ts'
import { turnedClock } from '../support/turned-clock.ts'

const server = await startHttpRecommender(t)
t.beforeEach(() => {
  server.misbehave()
  server.received.length = 0
  server.answer(({ path }) => ({ body: path.startsWith('/rerank') ? { personalizedRanking: ['a', 'b'] } : { itemList: ['a', 'b'] } }))
})

const url = '/recommend-items/shop/r/u'
const etagOf = ({ headers }: LightMyRequestResponse): string => String(headers.etag)

/** Outdates the answers for the user. */
async function sendEvent (app: FastifyInstance): Promise<void> {
  await app.inject({ method: 'POST', url: '/events/shop', payload: { userId: 'u', eventList: [{ eventType: 'view', itemId: 'a' }] } })
}

function isError (t: Test, { statusCode, headers, body }: LightMyRequestResponse, status: number, code: string): void {
  t.equal(statusCode, status, body)
  t.match(JSON.parse(body), { type: String, code, message: String, requestId: String })
  t.equal(headers['cache-control'], 'no-store')
  for (const name of ['etag', 'age', 'cache-status']) t.notOk(name in headers, `${name}: ${String(headers[name])}`)
}

t.test('the first answer is a miss that says what took its time, the next is a hit', async t => {
  const { app } = await startCachedShop(t, server)
  const miss = await get(app, url)
  t.equal(miss.statusCode, 200)
  t.equal(miss.headers['cache-status'], 'gateway; fwd=miss; stored')
  t.match(miss.headers['server-timing'], /^origin;dur=\d+\.\d{3}(, [a-z-]+;dur=\d+\.\d{3})*$/)
  t.notOk('age' in miss.headers)
  const hit = await get(app, url)
  t.match(hit.headers['cache-status'], /^gateway-memory; hit; ttl=(299|300)$/)
  t.notOk('server-timing' in hit.headers)
  t.notOk('age' in hit.headers)
  t.match(hit.headers, { 'content-type': 'application/json; charset=utf-8', 'x-personalization-variation': 'main', 'x-personalization-config-version': '1', 'x-request-id': String })
  t.equal(hit.body, miss.body)
  t.equal(server.received.length, 1)
})

t.test('validators are strong, and equal where bodies are', async t => {
  const { app } = await startCachedShop(t, server)
  const answers = await Promise.all([url, '/recommend-items/shop/r/another', '/related-items/shop/r/i', url].map(async url => get(app, url)))
  t.match(etagOf(answers[0]!), /^"[\x21\x23-\x7e]+"$/)
  t.equal(etagOf(answers[0]!), etagOf(answers[3]!))
  t.equal(new Set(answers.map(etagOf)).size, 3, 'lists of others have ids of their own')
  t.equal(new Set(answers.map(({ body }) => body)).size, 3)
  t.not(etagOf(await get(app, `${url}?numResults=1`)), etagOf(answers[0]!))
})

t.test('a hit says how long it lasts, and downstream it is as good as new', async t => {
  const clock = turnedClock(t)
  const { app } = await startCachedShop(t, server)
  await get(app, url)
  clock.pass(7_000)
  const { headers } = await get(app, url)
  t.notOk('age' in headers, 'freshness downstream counts from now on (RFC 9111 §4.2.3)')
  t.equal(headers['cache-control'], 'private,max-age=10')
  t.match(headers['cache-status'], /^gateway-memory; hit; ttl=29[23]$/)
})

t.test('past its time an answer is served while it is made anew, and in the place of a failure, and says so', async t => {
  const clock = turnedClock(t)
  const { app } = await startCachedShop(t, server, { cacheControl: { userSpecified: { maxAge: 10, directives: 'private' }, server: { ttl: 60, staleWhileRevalidate: 30, staleIfError: 600 } } })
  await get(app, url)
  clock.pass(65_000)
  const stale = await get(app, url)
  t.match(stale.headers, { 'cache-status': /^gateway-memory; hit; detail=stale-while-revalidate; ttl=-[56]$/, 'cache-control': 'private,max-age=2' })
  t.notOk('x-personalization-degraded' in stale.headers)
  await eventually('it is made anew', async () => /; hit; ttl=\d/.test(String((await get(app, url)).headers['cache-status'])))
  t.equal(server.received.length, 2)
  server.misbehave('500')
  clock.pass(95_000)
  const spare = await get(app, url)
  t.match(spare.headers, { 'cache-status': /^gateway-memory; hit; detail=stale-if-error; ttl=-\d+$/, 'cache-control': 'private,max-age=2', 'x-personalization-degraded': 'unavailable', 'x-personalization-variation': 'main' })
  t.equal(spare.body, stale.body)
})

t.test('a document that says nothing of the gateway itself has answers kept as long as it lets others keep them', async t => {
  const clock = turnedClock(t)
  const { app } = await startCachedShop(t, server, { cacheControl: { userSpecified: { maxAge: 10, directives: 'private' }, syntheticUserSpecified: { maxAge: 300, directives: 'public' } } })
  const isAnswered = async (url: string, status: RegExp, cacheControl: string | undefined): Promise<void> => {
    const { headers } = await get(app, url)
    t.match(headers['cache-status'], status, url)
    t.equal(headers['cache-control'], cacheControl)
    t.notOk('age' in headers)
  }
  await isAnswered(url, /; fwd=miss; stored$/, 'private,max-age=10')
  clock.pass(9_000)
  await isAnswered(url, /^gateway-memory; hit; ttl=[01]$/, 'private,max-age=10')
  clock.pass(1_000)
  await isAnswered(url, /; fwd=stale; stored$/, 'private,max-age=10')
  t.equal(server.received.length, 2)

  clock.pass(10_000)
  await isAnswered(`${url}?syntheticUser=1`, /; fwd=stale; stored$/, 'public,max-age=300')
  clock.pass(9_000)
  await isAnswered(url, /^gateway-memory; hit; ttl=[01]$/, 'private,max-age=10')
  clock.pass(1_000)
  await isAnswered(`${url}?syntheticUser=1`, /^gateway-memory; hit; ttl=2(89|90)$/, 'public,max-age=300')
  await isAnswered(url, /; fwd=stale; stored$/, 'private,max-age=10')

  for (const status of [/; fwd=bypass$/, /; fwd=bypass$/]) await isAnswered('/related-items/shop/r/i', status, undefined)
})

t.test('who has an answer already is not sent it again', async t => {
  const { app } = await startCachedShop(t, server)
  const full = await get(app, url)
  const etag = etagOf(full)
  for (const field of [etag, `W/${etag}`, `"x", ${etag}`, `"a,b",W/${etag} ,"y"`, '*']) {
    const answer = await get(app, url, { 'if-none-match': field })
    t.equal(answer.statusCode, 304, field)
    t.equal(answer.body, '')
    t.match(answer.headers, { etag, 'cache-control': 'private,max-age=10', 'cache-status': String })
    t.notOk('age' in answer.headers)
    t.notOk('content-type' in answer.headers)
    t.notOk('content-length' in answer.headers)
  }
  for (const field of ['"x"', 'nonsense', '', etag.slice(1, -1), `"x,${etag.slice(1, -1)}"`, etag.toUpperCase()]) {
    const answer = await get(app, url, { 'if-none-match': field })
    t.equal(answer.statusCode, 200, field)
    t.equal(answer.body, full.body)
  }
})

t.test('who has what is made just now is not sent it either', async t => {
  const { app } = await startCachedShop(t, server)
  const etag = etagOf(await get(app, url))
  await sendEvent(app)
  const answer = await get(app, url, { 'if-none-match': etag })
  t.equal(answer.statusCode, 304)
  t.match(answer.headers, { etag, 'cache-status': 'gateway; fwd=stale; stored' })
})

t.test('HEAD is answered as GET is, without the body', async t => {
  const { app } = await startCachedShop(t, server)
  const first = await get(app, url, {}, 'HEAD')
  t.equal(first.headers['cache-status'], 'gateway; fwd=miss; stored')
  const full = await get(app, url)
  t.ok(isHit(full), 'what HEAD had made')
  const head = await get(app, url, {}, 'HEAD')
  t.equal(head.statusCode, 200)
  t.equal(head.body, '')
  for (const name of ['etag', 'content-type', 'content-length', 'cache-control', 'x-personalization-variation'] as const) t.equal(head.headers[name], full.headers[name], name)
  const unchanged = await get(app, url, { 'if-none-match': etagOf(full) }, 'HEAD')
  t.equal(unchanged.statusCode, 304)
  t.ok([undefined, full.headers['content-length']].includes(unchanged.headers['content-length']), 'if anything, the length that the whole answer has (RFC 9110 §8.6)')
})

t.test('who wants one certain answer only gets that one', async t => {
  const { app } = await startCachedShop(t, server)
  isError(t, await get(app, url, { 'if-match': '"x"' }), 412, 'PreconditionFailed')
  const etag = etagOf(await get(app, url))
  for (const field of ['"x"', `W/${etag}`, 'nonsense']) isError(t, await get(app, url, { 'if-match': field }), 412, 'PreconditionFailed')
  isError(t, await get(app, url, { 'if-match': '"x"', 'if-none-match': etag }), 412, 'PreconditionFailed')
  for (const field of [etag, '*', `"x", ${etag}`]) t.equal((await get(app, url, { 'if-match': field })).statusCode, 200, field)
})

t.test('answers have no date of modification, and conditions on one have no say', async t => {
  const { app } = await startCachedShop(t, server)
  for (const date of ['Thu, 01 Jan 2099 00:00:00 GMT', 'Thu, 01 Jan 1970 00:00:00 GMT', 'nonsense']) {
    const answer = await get(app, url, { 'if-modified-since': date, 'if-unmodified-since': date })
    t.equal(answer.statusCode, 200)
    t.notOk('last-modified' in answer.headers)
  }
})

t.test('an answer to POST has no validator, is kept by nobody and minds no conditions', async t => {
  const { app } = await startCachedShop(t, server)
  const post = async (headers: Record<string, string> = {}): Promise<LightMyRequestResponse> => app.inject({ method: 'POST', url: '/rerank-items/shop/r/u', headers, payload: ['a', 'b'] })
  const ranking = await get(app, '/rerank-items/shop/r/u/a,b')
  for (const headers of [{}, { 'if-none-match': '*' }, { 'if-match': '"x"' }, { 'if-none-match': etagOf(ranking) }]) {
    const answer = await post(headers)
    t.equal(answer.statusCode, 200)
    t.equal(answer.body, ranking.body)
    t.equal(answer.headers['cache-control'], 'no-store')
    for (const name of ['etag', 'age', 'cache-status']) t.notOk(name in answer.headers, name)
  }
})

t.test('errors have no validator, are kept by nobody and mind no conditions', async t => {
  const { app } = await startCachedShop(t, server)
  for (const headers of [{}, { 'if-none-match': '*' }, { 'if-match': '"x"' }]) {
    isError(t, await get(app, '/recommend-items/nowhere/r/u', headers), 404, 'NamespaceNotFound')
    isError(t, await get(app, '/recommend-items/shop/nothing/u', headers), 404, 'RecommenderNotConfigured')
    isError(t, await get(app, `${url}?numResults=0`, headers), 400, 'InvalidParameter')
    isError(t, await get(app, '/nothing', headers), 404, 'RouteNotFound')
    server.misbehave('500')
    isError(t, await get(app, '/recommend-items/shop/r/unlucky', headers), 503, 'HttpUnavailable')
    server.misbehave()
  }
  t.equal((await get(app, '/recommend-items/shop/r/unlucky')).statusCode, 200, 'nor was the failure kept by the gateway')
})

t.test('an event of a user makes the very next answer anew, and that of no other', async t => {
  const document = JSON.parse(JSON.stringify(cachedDocument(server)).replaceAll('"shop"', '"store"')) as object
  const { app } = await startGateway(t, document)
  const urls = ['/recommend-items/store/r/u', '/recommend-items/store/r/another', '/related-items/store/r/i?userId=u', '/related-items/store/r/i'] as const
  for (const url of urls) await get(app, url)
  for (const url of urls) t.ok(isHit(await get(app, url)), url)
  await sendEvents(t, app, 'u', ['i'])
  const after = await Promise.all(urls.map(async url => get(app, url)))
  t.strictSame(after.map(isHit), [false, true, false, true])
  for (const url of urls) t.ok(isHit(await get(app, url)), url)
})

t.test('what was made under one configuration document is not served under another', async t => {
  const { app, configFile } = await startCachedShop(t, server)
  for (const method of ['GET', 'HEAD'] as const) t.equal((await get(app, url, {}, method)).statusCode, 200)
  server.answer(() => ({ body: { itemList: ['of the other'] } }))
  rewrite(configFile, cachedDocument(server, { version: '2' }))
  await eventually('the other is in force', () => app.config.plan.version === '2')
  const answer = await get(app, url)
  t.equal(answer.headers['cache-status'], 'gateway; fwd=miss; stored')
  t.equal(answer.headers['x-personalization-config-version'], '2')
  t.match(JSON.parse(answer.body), { itemList: [{ itemId: 'of the other' }] })
})

t.test('an answer says under which configuration it was made, though another took over meanwhile', async t => {
  const { app, configFile } = await startCachedShop(t, server)
  server.misbehave('hang')
  const asking = get(app, url)
  await server.reached(1)
  rewrite(configFile, cachedDocument(server, { version: '2' }))
  await eventually('the other is in force', () => app.config.plan.version === '2')
  server.release()
  t.equal((await asking).headers['x-personalization-config-version'], '1')
})

t.test('a document that wants nothing kept has nothing kept, and who asks at once still shares a call', async t => {
  for (const more of [{ cacheControl: { server: { ttl: 0 } } }, { cacheControl: undefined }]) {
    const { app } = await startCachedShop(t, server, more)
    server.received.length = 0
    server.misbehave('hang')
    const asking = Array.from({ length: 20 }, async () => get(app, url))
    await server.reached(1)
    await settled()
    server.misbehave()
    server.release()
    for (const { statusCode, headers } of await Promise.all(asking)) {
      t.equal(statusCode, 200)
      t.match(headers['cache-status'], /^gateway; fwd=bypass(; collapsed)?$/)
    }
    t.equal(server.received.length, 1)
    t.equal((await get(app, url)).headers['cache-status'], 'gateway; fwd=bypass')
    t.equal(server.received.length, 2)
  }
})
