import t, { type Test } from 'tap'
import { parseConfig } from '../../src/config/parse.ts'
import type { OriginRequest } from '../../src/origins/origin.ts'
import { startAws } from '../support/aws.ts'
import { arn } from '../docker/aws-local/start.ts'
import { openOrigin, requests } from '../support/open-origin.ts'
import { startRawServer, type RawServer } from '../support/raw-server.ts'
import { ask, shopDocument, startShop } from '../support/shop.ts'

const nasty = [
  '/', '//', 'a/b', '/etc/passwd', '//evil.example', '///evil.example/x', '\\', '\\\\evil.example', '?', '?a=b', 'a?b&c=d', '#', 'a#b', '%', '%%', '%2', '%2f', '%2F..%2F',
  '%2e%2e', '%2E%2E', '%252e%252e', '%00', '%0d%0a', '%0d%0aX-Evil: 1', '\r\n', '\r\nHost: evil.example', ' HTTP/1.1\r\nHost: evil.example\r\n\r\nGET /second HTTP/1.1\r\n',
  '\n', '\t', '\0', 'a\0b', ' ', '   ', '...', '.../', './', '../', '../../admin', '..\\..\\admin', '.a', 'a..', 'a/../b', '/..', ';', ';/../', ':', ':80', '::1', '[::1]',
  'evil.example', 'http://evil.example/', 'https://evil.example', 'user@evil.example', '@evil.example', ':x@evil.example', '{userId}', '{', '}', '$&', '$1', "$'", '<script>', '"', "'", '`', '|', '^', '~', '*', '(', ')', '!',
  'é', '日本語', '🛒', '\u202e', '\uFEFF', '．．', '／', '\u2025', '\ud800', '\udc00', 'a\ud800b', '\udc00\ud800', '&n=999', 'n=1&n=2', '+', ',', '=', '__proto__', 'constructor', 'x'.repeat(256)
]

/** Values that no encoding keeps from being a step in a path. */
const dots = ['.', '..']

const template = '/v1/{userId}/items/{itemId}/list/{itemIds};v=1?u={userId}&i={itemId}&l={itemIds}&n={numResults}'

/** What the template becomes, worked out the dull way: every byte that is not plainly harmless is written as `%XX`. */
function expectedPath ({ userId = '', itemId = '', itemIds = [], numResults }: OriginRequest): string {
  const encoded = (value: string): string => [...Buffer.from(value.toWellFormed())]
    .map(byte => /[A-Za-z0-9_.!~*'()-]/.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('')
  const values: Record<string, string> = { userId: encoded(userId), itemId: encoded(itemId), itemIds: itemIds.map(encoded).join(','), numResults: String(numResults) }
  return template.replaceAll(/\{(\w+)\}/g, (_, name: string) => values[name]!)
}

/** Expects one request with this path, and the head that every request has. */
function isHarmless (t: Test, server: RawServer, path: string, value: string): void {
  const heads = server.heads.splice(0)
  const [line, ...headers] = heads.join('\r\n\r\n').split('\r\n')
  // A parser of URLs may leave an apostrophe or write it as %27: both stay where they are.
  t.equal(line!.replaceAll('%27', "'"), `GET ${path} HTTP/1.1`, JSON.stringify(value))
  t.match(line, /^GET [\x21-\x7e]+ HTTP\/1\.1$/, JSON.stringify(value))
  t.strictSame(headers.map(header => header.toLowerCase()), [`host: ${server.host}`, 'connection: keep-alive', 'accept: application/json', 'x-key: fixed'])
}

t.test('no id can leave its place in the request line, nor touch a header', async t => {
  const server = await startRawServer(t, { itemList: [] })
  const origin = await openOrigin(t, { type: 'http', url: server.url + template, headers: { 'x-key': 'fixed' } })
  const signal = new AbortController().signal
  for (const value of nasty) {
    const request: OriginRequest = { ...requests['related-items'], userId: value, itemId: value, itemIds: [value, value] }
    await origin.recommend(request, signal)
    isHarmless(t, server, expectedPath(request), value)
  }
})

t.test('an id that would be a step in the path is refused before anything is sent', async t => {
  const server = await startRawServer(t, { itemList: [] })
  const signal = new AbortController().signal
  const inPath = await openOrigin(t, { type: 'http', url: `${server.url}/users/{userId}/items/{itemId}` })
  const joined = await openOrigin(t, { type: 'http', url: `${server.url}/{userId}{itemId}` })
  const encodedBefore = await openOrigin(t, { type: 'http', url: `${server.url}/a/%2E{userId}` })
  for (const value of dots) {
    const wanted = { name: 'OriginError', failure: 'bad-request', message: /"\." and "\.\."/ }
    await t.rejects(inPath.recommend({ ...requests['related-items'], userId: value }, signal), wanted, value)
    await t.rejects(inPath.recommend({ ...requests['related-items'], userId: 'u', itemId: value }, signal), wanted, value)
  }
  await t.rejects(joined.recommend({ ...requests['related-items'], userId: '.', itemId: '.' }, signal), { name: 'OriginError', failure: 'bad-request' })
  await t.rejects(encodedBefore.recommend({ ...requests['related-items'], userId: '.' }, signal), { name: 'OriginError', failure: 'bad-request' })
  t.strictSame(server.heads, [])
})

t.test('where the value is no step of its own, dots are harmless', async t => {
  const server = await startRawServer(t, { itemList: [] })
  const signal = new AbortController().signal
  const origin = await openOrigin(t, { type: 'http', url: `${server.url}/u-{userId}?i={itemId}&path=/{userId}/..` })
  for (const value of dots) {
    await origin.recommend({ ...requests['related-items'], userId: value, itemId: value }, signal)
    t.equal(server.heads.splice(0)[0]!.split('\r\n')[0], `GET /u-${value}?i=${value}&path=/${value}/.. HTTP/1.1`)
  }
})

t.test('through the whole gateway, in a URL and in a body', async t => {
  const server = await startRawServer(t, { itemList: [], personalizedRanking: [] })
  const url = `${server.url}${template}`
  const variations = { v: { type: 'http', url, headers: { 'x-key': 'fixed' } } }
  const app = await startShop(t, { 'related-items': { r: { variations } }, 'rerank-items': { r: { variations } } })
  const wellFormed = nasty.filter(value => value.isWellFormed())
  for (const value of wellFormed) {
    const id = encodeURIComponent(value)
    const { status, body } = await ask(app, `/related-items/shop/r/${id}?userId=${id}&numResults=7`)
    t.equal(status, 200, `${JSON.stringify(value)}: ${JSON.stringify(body)}`)
    isHarmless(t, server, expectedPath({ ...requests['related-items'], userId: value, itemId: value, numResults: 7 }), value)
  }
  for (const value of nasty) {
    const { status, body } = await ask(app, '/rerank-items/shop/r/u', [value, 'other'])
    if (!value.isWellFormed()) {
      t.match({ status, body }, { status: 400, body: { code: 'InvalidBody', message: /^body\/0: / } }, JSON.stringify(value))
      continue
    }
    t.equal(status, 200, JSON.stringify(value))
    isHarmless(t, server, expectedPath({ ...requests['rerank-items'], userId: 'u', itemIds: [value, 'other'], numResults: 2 }), value)
  }
  for (const value of dots) {
    t.match(await ask(app, `/related-items/shop/r/item?userId=${value}`), { status: 400, body: { code: 'HttpBadRequest', message: /"\." and "\.\."/ } }, value)
  }
  t.strictSame(server.heads, [])
})

t.test('no filter of a request leads out of the campaign\'s own account', async t => {
  const { aws } = await startAws(t)
  const app = await startShop(t, { 'recommend-items': { r: { variations: { v: { type: 'personalize-campaign', arn: arn('campaign/c') } } } } })
  const received = (): unknown[] => aws.requests.of('personalize-runtime')
  for (const value of [...nasty, ...dots].filter(value => value.isWellFormed() && !/^[a-zA-Z0-9_-]{1,63}$/.test(value))) {
    const { status, body } = await ask(app, `/recommend-items/shop/r/u?filter=${encodeURIComponent(value)}`)
    t.match({ status, body }, { status: 400, body: { code: /^(PersonalizeBadRequest|InvalidParameter)$/, message: /^filter: / } }, JSON.stringify(value))
  }
  t.strictSame(received(), [])
  await ask(app, '/recommend-items/shop/r/u?filter=__proto__')
  t.match(received(), [{ body: { filterArn: arn('filter/__proto__') } }])
})

t.test('a template that is none is a mistake in the configuration, and says which', async t => {
  const message = (url: string): string => {
    const document = shopDocument({ 'recommend-items': { r: { variations: { v: { type: 'http', url } } } } })
    try {
      parseConfig(JSON.stringify(document), 'test')
      return 'accepted'
    } catch (error) {
      const { findings } = error as { findings: Array<{ pointer: string, message: string }> }
      t.strictSame(findings.map(({ pointer }) => pointer), ['/namespaces/shop/recommenders/recommend-items/r/variations/v/url'], url)
      return findings[0]!.message
    }
  }
  const form = /^expected http:\/\/ or https:\/\/, a host without placeholders or user, and a path$/
  const wrong = [
    'recommender.example', '/path', 'ftp://recommender.example/', 'file:///etc/passwd', 'javascript:alert(1)', 'http://', 'https:///x', '//recommender.example/',
    'http://{userId}/', 'http://{userId}.example/', 'http://recommender.example{userId}', 'http://recommender.example:{userId}/',
    'http://user@recommender.example/', 'http://user:secret@recommender.example/', 'http://{userId}@recommender.example/',
    'http://recommender.example/a#b', 'http://recommender.example/a b', 'http://recommender.example/\r\nX: 1', ' http://recommender.example/', 'http://recommender.example/ '
  ]
  for (const url of wrong) t.match(message(url), form, url)
  for (const url of ['http://recommender.example:99999/', 'http://[::1/', 'http://exa%mple/']) t.notMatch(message(url), /^accepted$/, url)
  t.equal(message('http://recommender.example/{a=b}/{userId}/{}'), '{a=b}, {} is no placeholder; expected {action}, {namespace}, {recommender}, {userId}, {itemId}, {itemIds}, {numResults}, {filter}, {filterValues}, {context} or the name of a query parameter')
  for (const url of ['http://recommender.example/{userId', 'http://recommender.example/userId}', 'http://recommender.example/{{userId}}', 'http://recommender.example/{a{userId}b}']) {
    t.match(message(url), /brace|placeholder/, url)
  }
  for (const url of ['http://recommender.example', 'https://recommender.example:8443', 'https://recommender.example/?u={userId}', 'http://127.0.0.1:8080/a/{userId}', 'http://[::1]:8080/', 'http://recommender.example?u={userId}']) {
    t.equal(message(url), 'accepted', url)
  }
})
