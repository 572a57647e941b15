import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { startAws } from '../support/aws.ts'
import { startGateway } from '../support/gateway.ts'
import { routeRequests } from '../support/route-requests.ts'
import { accessClaims, signingKey, startIssuer, tokenOf } from '../support/token-issuer.ts'
import { twoShops } from '../support/two-shops.ts'

const key = signingKey('key', 'ES256')
const view = { eventType: 'view', itemId: 'item-1' }

const { tea } = twoShops.namespaces
const usersDatasetArn = 'arn:aws:personalize:us-east-1:123456789012:dataset/shop/USERS'
const withUsers = { ...twoShops, namespaces: { tea: { ...tea, eventTargets: [...tea.eventTargets, { type: 'personalize-event-tracker', trackingId: 'tracker', usersDatasetArn }] } } }

interface Users {
  app: FastifyInstance
  /** Returns headers with a token of a user. */
  as: (user: unknown, scope?: string) => Record<string, string>
}

async function start (t: Test): Promise<Users> {
  await startAws(t)
  const issuer = await startIssuer(t, key)
  const { app } = await startGateway(t, withUsers, { authentication: { schemes: ['jwt'], jwt: issuer.options({ userClaim: 'user' }) } })
  return { app, as: (user, scope = 'read write admin') => ({ authorization: `Bearer ${tokenOf(key, accessClaims(issuer, { user, scope }))}` }) }
}

t.test("user claim: a token of one user cannot read, write or explain another user's, through any route", async t => {
  const { app, as } = await start(t)
  for (const { name, route, request } of routeRequests(app)) {
    if (!/:userId|^\/(events|users)\//.test(route.url)) continue
    const own = request('tea', 'user-1')
    const foreign = request('tea', 'user-2')
    const statusOf = async (wanted: typeof own): Promise<{ statusCode: number, body: string }> => app.inject({ ...wanted, headers: { ...wanted.headers, ...as('user-1') } })
    const allowed = await statusOf(own)
    t.notOk([401, 403].includes(allowed.statusCode), `${name}: ${allowed.statusCode}`)
    const refused = await statusOf(foreign)
    if (route.url.endsWith('/batch')) t.match(JSON.parse(refused.body), { results: [{ status: 403, code: 'Forbidden' }] }, name)
    else t.equal(refused.statusCode, 403, name)
  }
})

t.test('user claim: no encoding or spelling of an id gets around it, and each answer is of the very user', async t => {
  const { app, as } = await start(t)
  const statusOf = async (user: string, segment: string): Promise<number> => (await app.inject({ url: `/recommend-items/tea/home/${segment}`, headers: as(user) })).statusCode
  for (const segment of ['user-2', 'user%2D2', 'user-1%2Fx', 'user-1%252F', 'user-1%2e', 'user-1.', 'user-1%20', '%20user-1', 'User-1', 'USER-1', 'user-1%00', 'user-1%09', 'user%E2%80%901', 'user-1%2C', 'user-1;x', '%75ser-2', 'user-1%23', 'user-1%3F', '..%2Fuser-1', 'user-1%2F..%2Fuser-2', 'user-1%2f%2e%2e%2fuser-2']) {
    for (const hit of ['miss', 'hit']) t.equal(await statusOf('user-1', segment), 403, `${segment}, ${hit}`)
  }
  for (const segment of ['user-1', '%75ser-1', 'user%2D1', 'user%2d1', 'user-1?userId=user-2', 'user-1?x=user-2', 'user-1#x']) t.equal(await statusOf('user-1', segment), 200, segment)
  for (const [user, segment] of [['a/b', 'a%2Fb'], ['a%2Fb', 'a%252Fb'], ['é', '%C3%A9'], ['a,b', 'a,b'], ['x.', 'x.']] as const) t.equal(await statusOf(user, segment), 200, `${user} as ${segment}`)
  t.equal(await statusOf('é', 'e%CC%81'), 403, 'the same letter in another normal form is another id')
  t.equal(await statusOf('a/b', 'a%252Fb'), 403)
})

t.test("user claim: the userId of related items is the token's, in every place of the query", async t => {
  const { app, as } = await start(t)
  const statusOf = async (query: string, headers = as('user-1')): Promise<number> => (await app.inject({ url: `/related-items/tea/home/item-1${query}`, headers })).statusCode
  for (const query of ['', '?userId=', '?userId=user-1', '?userId=%75ser-1', '?numResults=2&userId=user-1', '?UserId=user-2', '?userid=user-2']) t.equal(await statusOf(query), 200, query)
  const foreign = ['?userId=user-2', '?userId=%75ser-2', '?numResults=2&userId=user-2', '?%75serId=user-2', '?userId=user-1%20', '?userId=User-1']
  for (const query of foreign) t.equal(await statusOf(query), 403, query)
  const inQuery = await app.inject({ url: '/related-items/tea/home/item-1?userId=user-2', headers: as('user-1') })
  const inPath = await app.inject({ url: '/recommend-items/tea/home/user-2', headers: as('user-1') })
  for (const { headers } of [inPath, inQuery]) t.equal(headers['www-authenticate'], 'Bearer realm="gateway", error="insufficient_scope"')
  t.equal(inPath.body.replace(/"requestId":"[^"]+"/, ''), inQuery.body.replace(/"requestId":"[^"]+"/, ''))
  for (const query of ['?userId=user-1&userId=user-2', '?userId=user-2&userId=user-1']) t.ok([400, 403].includes(await statusOf(query)), query)
  for (const query of foreign) t.equal((await app.inject({ url: `/explain/related-items/tea/home/item-1${query}`, headers: as('user-1') })).statusCode, 403, `explain ${query}`)
})

t.test("user claim: a cached entry, and a remembered URL, are the user's alone", async t => {
  const { app, as } = await start(t)
  for (const url of ['/recommend-items/tea/home/user-2', '/related-items/tea/home/item-1?userId=user-2', '/rerank-items/tea/home/user-2/item-1,item-2', '/predicted-ratings/tea/home/user-2?items=item-1']) {
    for (const cached of [/miss/, /hit/]) t.match((await app.inject({ url, headers: as('user-2') })).headers['cache-status'], cached)
    for (const method of ['GET', 'HEAD'] as const) {
      const { statusCode, headers } = await app.inject({ method, url, headers: { ...as('user-1'), 'if-none-match': '*' } })
      t.equal(statusCode, 403, `${method} ${url}`)
      t.strictSame([headers.etag, headers['cache-status'], headers['x-personalization-variation']], [undefined, undefined, undefined])
    }
  }
})

t.test('user claim: bodies of events and users are checked one by one, in batches and NDJSON too', async t => {
  const { app, as } = await start(t)
  const post = async (url: string, payload: object | string, type = 'application/json'): Promise<{ statusCode: number, body: string }> =>
    app.inject({ method: 'POST', url, headers: { 'content-type': type, ...as('user-1') }, payload: typeof payload === 'string' ? payload : JSON.stringify(payload) })
  const own = { userId: 'user-1', sessionId: 's', eventList: [view] }
  const foreign = {
    'another user': { ...own, userId: 'user-2' },
    'a session alone': { sessionId: 'user-2', eventList: [view] },
    'another case': { ...own, userId: 'User-1' },
    'a number': { ...own, userId: 2 },
    'another user in an event': { ...own, eventList: [view, { ...view, userId: 'user-2' }] },
    'conversions of another user': { userId: 'user-2', experimentConversions: [{ recommender: 'home' }] }
  }
  t.equal((await post('/events/tea', own)).statusCode, 200)
  t.equal((await post('/events/tea', JSON.stringify(own), 'text/plain')).statusCode, 200)
  t.equal((await post('/events/tea', `{"userId":"user-1","userId":"user-2","eventList":[${JSON.stringify(view)}]}`)).statusCode, 403, 'the last of two members counts')
  for (const [name, body] of Object.entries(foreign)) {
    t.equal((await post('/events/tea', body)).statusCode, 403, name)
    t.equal((await post('/events/tea', JSON.stringify(body), 'text/plain')).statusCode, 403, name)
  }
  const bodies = [own, ...Object.values(foreign), own]
  for (const [type, payload] of [['application/json', JSON.stringify(bodies)], ['application/x-ndjson', bodies.map(body => JSON.stringify(body)).join('\n')]] as const) {
    const { statusCode, body } = await post('/events/tea/batch', payload, type)
    t.equal(statusCode, 207)
    t.strictSame((JSON.parse(body) as { results: Array<{ status: number }> }).results.map(({ status }) => status), [200, ...Object.values(foreign).map(() => 403), 200], type)
  }
  t.equal((await app.inject({ method: 'POST', url: '/items/tea', headers: as('user-1', 'read write'), payload: { items: [{ itemId: 'i' }] } })).statusCode, 403, 'items are for all users')
})

t.test('user claim: a token without it, or with one that is no id, is refused', async t => {
  const { app, as } = await start(t)
  for (const user of [undefined, '', null, true, ['user-1'], { id: 'user-1' }, 1.5, 1e300]) {
    t.equal((await app.inject({ url: '/recommend-items/tea/home/user-1', headers: as(user) })).statusCode, 401, JSON.stringify(user))
  }
  t.equal((await app.inject({ url: '/recommend-items/tea/home/7', headers: as(7) })).statusCode, 200, 'a number is the text of its digits')
})
