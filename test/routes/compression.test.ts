import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import t, { type Test } from 'tap'
import { cachedDocument, get, isHit, startCachedShop } from '../support/cached-shop.ts'
import { eventually } from '../support/eventually.ts'
import { sendEvents, startGateway } from '../support/gateway.ts'
import { startHttpRecommender } from '../support/http-recommender.ts'

const server = await startHttpRecommender(t)
const items = Array.from({ length: 200 }, (_, i) => `item-${i}`)
server.answer(({ path }) => ({ body: path.startsWith('/rerank') ? { personalizedRanking: items } : { itemList: items } }))

const url = '/recommend-items/shop/r/u?numResults=200'
const decoders = { gzip: gunzipSync, br: brotliDecompressSync }

const made = async (app: FastifyInstance, encoding: string): Promise<number> =>
  Number(new RegExp(`^gateway_cache_encoded_total\\{encoding="${encoding}"\\} (\\d+)$`, 'm').exec((await app.inject('/metrics')).body)![1])

/** Asks until the answer comes in an encoding. */
async function encoded (app: FastifyInstance, acceptEncoding: string, path = url): Promise<LightMyRequestResponse> {
  let answer!: LightMyRequestResponse
  await eventually(`${path} comes encoded for ${acceptEncoding}`, async () => {
    answer = await get(app, path, { 'accept-encoding': acceptEncoding })
    return answer.headers['content-encoding'] !== undefined
  })
  return answer
}

const isPlain = (t: Test, { statusCode, headers, rawPayload }: LightMyRequestResponse, body: string, message = 'plain'): void => {
  t.equal(statusCode, 200, message)
  t.notOk('content-encoding' in headers, message)
  t.equal(rawPayload.toString(), body, message)
}

t.test('until the encoded bytes exist the plain ones go out, and then those', async t => {
  const { app } = await startCachedShop(t, server)
  const miss = await get(app, url, { 'accept-encoding': 'gzip' })
  isPlain(t, miss, miss.body)
  t.equal(await made(app, 'gzip'), 0, 'nothing is encoded before the first hit')
  isPlain(t, await get(app, url, { 'accept-encoding': 'gzip' }), miss.body, 'nor does the first hit wait')
  for (const [encoding, decode] of Object.entries(decoders)) {
    const answer = await encoded(app, encoding)
    t.ok(isHit(answer))
    t.match(answer.headers, { 'content-encoding': encoding, 'content-length': String(answer.rawPayload.length), 'content-type': 'application/json; charset=utf-8', vary: 'Accept-Encoding' })
    t.ok(answer.rawPayload.length < miss.rawPayload.length / 2)
    t.equal(decode(answer.rawPayload).toString(), miss.body)
  }
})

t.test('Vary names Accept-Encoding with every answer that could be encoded, and with no other', async t => {
  const { app } = await startCachedShop(t, server)
  for (const headers of [{}, {}, { 'accept-encoding': 'gzip' }, { 'accept-encoding': 'identity' }] as Array<Record<string, string>>) {
    const answer = await get(app, url, headers)
    t.equal(answer.headers.vary, 'Accept-Encoding')
    t.equal((await get(app, url, { ...headers, 'if-none-match': String(answer.headers.etag) })).headers.vary, 'Accept-Encoding', 'a 304 has it, too')
    t.equal((await get(app, url, headers, 'HEAD')).headers.vary, 'Accept-Encoding')
  }
  for (let i = 0; i < 3; i++) {
    const small = await get(app, '/recommend-items/shop/r/u?numResults=1', { 'accept-encoding': 'gzip' })
    t.notOk('vary' in small.headers)
    t.notOk('content-encoding' in small.headers)
  }
  const autoContext = { country: { type: 'string', rules: [{ type: 'header-value', header: 'x-country' }, { type: 'header-value', header: 'Accept-Encoding' }] } }
  const { app: withRules } = await startCachedShop(t, server, { autoContext })
  t.equal((await get(withRules, url)).headers.vary, 'x-country, Accept-Encoding')
  t.equal((await get(withRules, '/recommend-items/shop/r/u?numResults=1')).headers.vary, 'accept-encoding, x-country')
})

t.test('the preferred encoding goes out, and what the client refuses never does', async t => {
  const { app } = await startCachedShop(t, server)
  await get(app, url)
  for (const encoding of ['br', 'gzip']) await encoded(app, encoding)
  for (const [field, expected] of [
    ['gzip, deflate, br', 'br'], ['gzip', 'gzip'], ['br;q=0.1, gzip;q=0.9', 'gzip'], ['*', 'br'], ['br;q=0, *', 'gzip'], ['GZIP;q=0.5', 'gzip'], ['identity;q=0, gzip', 'gzip'],
    ['', undefined], ['identity', undefined], ['gzip;q=0', undefined], ['*;q=0', undefined], ['identity;q=0', undefined], ['identity, gzip;q=0.5', undefined], ['zstd', undefined]
  ] as const) {
    t.equal((await get(app, url, { 'accept-encoding': field })).headers['content-encoding'], expected, field)
  }
  t.notOk('content-encoding' in (await get(app, url)).headers)
})

t.test('what exists already goes out while the preferred one is being made', async t => {
  const { app } = await startCachedShop(t, server)
  await get(app, url)
  await encoded(app, 'gzip')
  t.equal((await get(app, url, { 'accept-encoding': 'gzip, br' })).headers['content-encoding'], 'gzip')
  await eventually('the preferred one is made', async () => (await get(app, url, { 'accept-encoding': 'gzip, br' })).headers['content-encoding'] === 'br')
})

t.test('each encoding has a strong validator of its own, and any of them says what the client has', async t => {
  const { app } = await startCachedShop(t, server)
  const plain = String((await get(app, url)).headers.etag)
  const [gzip, br] = await Promise.all(['gzip', 'br'].map(async encoding => String((await encoded(app, encoding)).headers.etag))) as [string, string]
  t.equal(new Set([plain, gzip, br]).size, 3)
  for (const tag of [plain, gzip, br]) {
    t.match(tag, /^"[\x21\x23-\x7e]+"$/)
    for (const acceptEncoding of ['', 'gzip', 'br', 'gzip, br']) {
      const headers = { 'accept-encoding': acceptEncoding }
      for (const field of [tag, `W/${tag}`, `"x", ${tag}`]) {
        const answer = await get(app, url, { ...headers, 'if-none-match': field })
        t.equal(answer.statusCode, 304, `${field} for ${acceptEncoding}`)
        t.equal(answer.body, '')
        t.notOk('content-encoding' in answer.headers)
      }
      t.equal((await get(app, url, { ...headers, 'if-match': tag })).statusCode, 200, `${tag} for ${acceptEncoding}`)
      t.equal((await get(app, url, { ...headers, 'if-match': `W/${tag}` })).statusCode, 412)
    }
  }
  t.equal((await get(app, url, { 'accept-encoding': 'gzip', 'if-none-match': '"x.gzip"' })).statusCode, 200)
})

t.test('a 304 has the tag of the representation that the client has, if it may have it, else of the one it would get', async t => {
  const { app } = await startCachedShop(t, server)
  const plain = String((await get(app, url)).headers.etag)
  const gzip = String((await encoded(app, 'gzip')).headers.etag)
  const tagOf = async (acceptEncoding: string, ifNoneMatch: string): Promise<unknown> => (await get(app, url, { 'accept-encoding': acceptEncoding, 'if-none-match': ifNoneMatch })).headers.etag
  t.equal(await tagOf('gzip', gzip), gzip)
  t.equal(await tagOf('gzip', plain), plain)
  t.equal(await tagOf('gzip', `${plain}, ${gzip}`), gzip)
  t.equal(await tagOf('gzip', '*'), gzip)
  t.equal(await tagOf('', gzip), plain, 'nobody is told to use what it cannot read')
  t.equal(await tagOf('', '*'), plain)
})

t.test('HEAD has the head of the GET', async t => {
  const { app } = await startCachedShop(t, server)
  await get(app, url)
  for (const acceptEncoding of ['gzip', 'br', '']) {
    const headers = { 'accept-encoding': acceptEncoding }
    const full = acceptEncoding === '' ? await get(app, url, headers) : await encoded(app, acceptEncoding)
    const head = await get(app, url, headers, 'HEAD')
    t.equal(head.rawPayload.length, 0)
    for (const name of ['content-encoding', 'content-length', 'content-type', 'etag', 'vary', 'cache-control'] as const) t.equal(head.headers[name], full.headers[name], name)
    const unchanged = await get(app, url, { ...headers, 'if-none-match': String(full.headers.etag) }, 'HEAD')
    t.equal(unchanged.statusCode, 304)
    t.equal(unchanged.headers.etag, full.headers.etag)
  }
})

t.test('it is done once for an entry however many ask, and never for one that nobody wants encoded', async t => {
  const { app } = await startCachedShop(t, server)
  const others = Array.from({ length: 5 }, (_, i) => url.replace('/u?', `/u${i}?`))
  for (const path of [url, ...others]) await get(app, path)
  for (const path of others) for (const field of ['', 'identity', 'gzip;q=0', 'deflate']) await get(app, path, { 'accept-encoding': field })
  await Promise.all(Array.from({ length: 300 }, async () => get(app, url, { 'accept-encoding': 'gzip' })))
  await encoded(app, 'gzip')
  await Promise.all(Array.from({ length: 300 }, async () => get(app, url, { 'accept-encoding': 'gzip' })))
  t.equal(await made(app, 'gzip'), 1)
  t.equal(await made(app, 'br'), 0)
})

t.test('answers to POST and errors stay plain', async t => {
  const { app } = await startCachedShop(t, server)
  for (let i = 0; i < 3; i++) {
    const { statusCode, headers } = await app.inject({ method: 'POST', url: '/rerank-items/shop/r/u', headers: { 'accept-encoding': 'gzip' }, payload: items })
    t.equal(statusCode, 200)
    t.notOk('content-encoding' in headers)
    t.notOk('vary' in headers)
    t.notOk('content-encoding' in (await get(app, '/recommend-items/shop/nothing/u', { 'accept-encoding': 'gzip' })).headers)
  }
})

t.test('after an event the encoded bytes of before are gone, too', async t => {
  const { app } = await startGateway(t, JSON.parse(JSON.stringify(cachedDocument(server)).replaceAll('"shop"', '"store"')) as object)
  const path = url.replace('shop', 'store')
  await get(app, path)
  const before = await encoded(app, 'gzip', path)
  server.answer(() => ({ body: { itemList: [...items].reverse() } }))
  t.teardown(() => server.answer(() => ({ body: { itemList: items } })))
  await sendEvents(t, app, 'u', ['i'])
  const after = await get(app, path, { 'accept-encoding': 'gzip' })
  t.match(after.json(), { itemList: [{ itemId: 'item-199' }] })
  const again = await encoded(app, 'gzip', path)
  t.not(again.headers.etag, before.headers.etag)
  t.equal(gunzipSync(again.rawPayload).toString(), after.body)
})

t.test('encoded bytes count within CACHE_MAX_BYTES, and what has to go takes its encodings along', async t => {
  const cacheMaxBytes = 40_000
  const { app } = await startGateway(t, cachedDocument(server), { cacheMaxBytes })
  const paths = Array.from({ length: 30 }, (_, i) => url.replace('/u?', `/u${i}?`))
  for (const path of paths) {
    await get(app, path)
    for (const encoding of ['gzip', 'br']) await encoded(app, encoding, path)
    t.ok(app.cacheParts.memory.bytes <= cacheMaxBytes, `${app.cacheParts.memory.bytes} bytes`)
  }
  t.ok(app.cacheParts.memory.evictions > 0)
  t.equal(await made(app, 'gzip'), paths.length)
  const first = await get(app, paths[0]!, { 'accept-encoding': 'gzip' })
  t.notOk(isHit(first))
  t.notOk('content-encoding' in first.headers)
})

t.test('a client that decompresses reads the same JSON', async t => {
  const { app } = await startCachedShop(t, server)
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  const expected = (await get(app, url)).json<object>()
  for (const encoding of ['gzip', 'br']) {
    await encoded(app, encoding)
    const response = await fetch(`${address}${url}`, { headers: { 'accept-encoding': encoding } })
    t.equal(response.headers.get('content-encoding'), encoding)
    t.strictSame(await response.json(), expected)
  }
})
