import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { get, startCachedShop } from '../support/cached-shop.ts'
import { startGateway } from '../support/gateway.ts'
import { startHttpRecommender } from '../support/http-recommender.ts'
import { mayShare } from '../support/may-share.ts'

const server = await startHttpRecommender(t)
server.answer(({ path }) => ({ body: path.startsWith('/rerank') ? { personalizedRanking: ['a', 'b'] } : path.startsWith('/predicted') ? { ratings: [1, 2] } : { itemList: ['a', 'b'] } }))

const directives = [
  '', 'public', 'public, s-maxage=60', 's-maxage=60', 'must-revalidate', 'proxy-revalidate, public', 'PUBLIC,Must-Revalidate', 'private', 'no-store', 'no-cache',
  'public, no-cache', 'public, private', 'private="x-secret"', 'public, private="x-secret"', 'public, private="a, private, b"', 'public, ext="no-store, private"', ',public,', 'immutable, stale-while-revalidate=5, s-maxage="60"'
]
const senders: Array<Record<string, string>> = [{ authorization: 'Bearer token' }, { 'x-api-key': 'key' }, { authorization: 'Basic dXNlcjpwYXNz', 'x-api-key': 'key' }, {}]
const given = ['/recommend-items/shop/r/u', '/related-items/shop/r/i?userId=u', '/rerank-items/shop/r/u/a,b', '/predicted-ratings/shop/r/u?items=a,b']
const synthetic = ['/recommend-items/shop/r/u?syntheticUser=1', '/related-items/shop/r/i?userId=u&syntheticUser=yes', '/rerank-items/shop/r/u/a,b?syntheticUser=true', '/predicted-ratings/shop/r/u?items=a,b&syntheticUser=1']
const none = ['/related-items/shop/r/i', '/related-items/shop/r/i?syntheticUser=1']

interface Policy {
  name: string
  /** Of the document, for the recommender of that name. */
  cacheControl: object | undefined
}

const policyOf = (text: string, maxAge: number): object => {
  const policy = { maxAge, directives: text }
  return { userSpecified: policy, syntheticUserSpecified: policy, noUserSpecified: policy }
}

const policies: Policy[] = [...directives.flatMap(text => [0, 60].map(maxAge => policyOf(text, maxAge))), {}, undefined].map((cacheControl, i) => ({ name: `r${i}`, cacheControl }))

/** A recommender for each policy. */
async function startShop (t: Test): Promise<FastifyInstance> {
  const actions = ['recommend-items', 'related-items', 'rerank-items', 'predicted-ratings']
  const variations = { main: { type: 'http', url: `${server.url}/{action}` } }
  const named = Object.fromEntries(policies.map(({ name, cacheControl }) => [name, { variations, cacheControl }]))
  const { app } = await startGateway(t, { namespaces: { shop: { recommenders: Object.fromEntries(actions.map(action => [action, named])) } } })
  return app
}

const attempts: Array<[method: 'GET' | 'HEAD', headers: Record<string, string>]> = [['GET', {}], ['GET', {}], ['HEAD', {}], ['GET', { 'if-none-match': '*' }]]

t.test('what is for a given user is kept by no shared cache where the request says who sends it', async t => {
  const app = await startShop(t)
  for (const { name, cacheControl } of policies) {
    const shared: string[] = []
    for (const requestHeaders of senders.filter(headers => Object.keys(headers).length > 0)) {
      for (const url of given.map(url => url.replace('/r/', `/${name}/`))) {
        for (const [method, more] of attempts) {
          const { statusCode, headers } = await get(app, url, { ...requestHeaders, ...more }, method)
          if (!mayShare({ method, requestHeaders, status: statusCode, responseHeaders: headers })) continue
          shared.push(`${method} ${url} ${JSON.stringify(requestHeaders)}: ${statusCode}, ${headers['cache-control']}`)
        }
      }
    }
    t.equal(shared[0], undefined, JSON.stringify(cacheControl))
  }
})

t.test('what is for a group of users, or for nobody, is shared as configured, whoever asks', async t => {
  for (const [text, expected] of [['public', true], ['public, s-maxage=60', true], ['private', false], ['no-store', false]] as const) {
    const { app } = await startCachedShop(t, server, { cacheControl: policyOf(text, 60) })
    for (const requestHeaders of senders) {
      for (const url of [...synthetic, ...none]) {
        const { statusCode, headers } = await get(app, url, requestHeaders)
        t.equal(headers['cache-control'], `${text},max-age=60`)
        t.equal(mayShare({ method: 'GET', requestHeaders, status: statusCode, responseHeaders: headers }), expected, `${text} ${url}`)
      }
    }
  }
})

t.test('what is for a given user is what the document says where nobody says who sends it', async t => {
  const { app } = await startCachedShop(t, server, { cacheControl: { userSpecified: { maxAge: 60, directives: 'public' } } })
  for (const url of given) t.equal((await get(app, url)).headers['cache-control'], 'public,max-age=60')
})

t.test('who asks makes no difference to what the gateway keeps, but each is told what its caches may keep', async t => {
  const { app } = await startCachedShop(t, server, { cacheControl: { userSpecified: { maxAge: 60, directives: 'public' } } })
  const anonymous = await get(app, given[0]!)
  const known = await get(app, given[0]!, { authorization: 'Bearer token' })
  const anonymousAgain = await get(app, given[0]!)
  t.strictSame([anonymous, known, anonymousAgain].map(({ headers }) => headers['cache-control']), ['public,max-age=60', 'private,max-age=60', 'public,max-age=60'])
  t.equal(known.headers.etag, anonymous.headers.etag)
})

t.test('errors and answers to POST are kept by nobody', async t => {
  const { app } = await startCachedShop(t, server)
  for (const requestHeaders of senders) {
    for (const url of ['/recommend-items/shop/nothing/u', '/recommend-items/nowhere/r/u', '/recommend-items/shop/r/u?numResults=0', '/nothing']) {
      const { statusCode, headers } = await get(app, url, requestHeaders)
      t.ok(statusCode >= 400)
      t.notOk(mayShare({ method: 'GET', requestHeaders, status: statusCode, responseHeaders: headers }), url)
    }
    const { statusCode, headers } = await app.inject({ method: 'POST', url: '/rerank-items/shop/r/u', headers: requestHeaders, payload: ['a', 'b'] })
    t.equal(statusCode, 200)
    t.equal(headers['cache-control'], 'no-store')
  }
})

t.test('the check itself tells what may be shared from what may not', async t => {
  const shared = (cacheControl: string | undefined, requestHeaders = {}, method = 'GET', status = 200): boolean =>
    mayShare({ method, requestHeaders, status, responseHeaders: { 'cache-control': cacheControl } })
  const authorization = { authorization: 'x' }
  for (const field of ['public', 'max-age=5', 's-maxage=5', undefined, '', 'private="a, b"', 'ext="private"', 'ext="no-store, private", max-age=5']) t.ok(shared(field), String(field))
  for (const field of ['private', 'PRIVATE', 'no-store', 'public, no-store', 'a="b", private', 'private="x", private', 'private, private="x"']) t.notOk(shared(field), field)
  for (const field of ['public', 's-maxage=5', 'must-revalidate', 'max-age=5, public']) t.ok(shared(field, authorization), field)
  for (const field of ['max-age=5', '', undefined, 'proxy-revalidate', 'private']) t.notOk(shared(field, authorization), String(field))
  t.notOk(shared('public', {}, 'POST'))
  t.notOk(shared(undefined, {}, 'GET', 503))
  t.ok(shared('max-age=5', {}, 'GET', 503))
})
