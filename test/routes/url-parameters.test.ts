import t from 'tap'
import { isHit, startCachedShop } from '../support/cached-shop.ts'
import { addTarget, recordingTarget } from '../support/event-targets.ts'
import { startGateway } from '../support/gateway.ts'
import { startHttpRecommender } from '../support/http-recommender.ts'
import { ask, itemsOf, startShop } from '../support/shop.ts'

const ignored = 'x-personalization-ignored-parameters'

t.test('an encoded comma belongs to an id: the separators of a list are the commas of the raw URL', async t => {
  const server = await startHttpRecommender(t)
  server.answer(({ path }) => ({ body: path.startsWith('/rate') ? { ratings: [1, 2] } : { personalizedRanking: ['1,5-liter', 'b'] } }))
  const variations = { v: { type: 'http', url: `${server.url}/rank?ids={itemIds}`, method: 'POST' } }
  const ratings = { v: { type: 'http', url: `${server.url}/rate?ids={itemIds}`, method: 'POST' } }
  const app = await startShop(t, { 'rerank-items': { r: { variations } }, 'predicted-ratings': { r: { variations: ratings } } })
  const lists: Array<[string, string[]]> = [
    ['1%2C5-liter,b', ['1,5-liter', 'b']],
    ['1%2c5-liter,%62', ['1,5-liter', 'b']],
    ['%2C,%2C%2C', [',', ',,']],
    ['a%2Fb,c%3Fd', ['a/b', 'c?d']],
    ['a%252Cb,%C3%A9', ['a%2Cb', 'é']]
  ]
  for (const [list, itemIds] of lists) {
    for (const url of [`/rerank-items/shop/r/u/${list}`, `/rerank-items/shop/r/u/${list}?context=%7B%7D`, `/predicted-ratings/shop/r/u?items=${list}`, `/predicted-ratings/shop/r/u?x=%2C&it%65ms=${list}&y=1,2`]) {
      t.equal((await ask(app, url)).status, 200, url)
      const { body, path } = server.received.pop()!
      t.match(body, { itemIds, numResults: 2 }, url)
      t.ok(path.endsWith(`?ids=${itemIds.map(encodeURIComponent).join(',')}`), path)
    }
  }
  t.equal((await ask(app, '/predicted-ratings/shop/r/u?items=a+b,c')).status, 200)
  t.match(server.received.pop()!.body, { itemIds: ['a b', 'c'] }, 'in a query, + is a space')
  t.equal((await ask(app, '/rerank-items/shop/r/u/a+b,c')).status, 200)
  t.match(server.received.pop()!.body, { itemIds: ['a+b', 'c'] }, 'in a path, + is itself')
  for (const list of ['a,', ',a', 'a,,b', ',']) t.equal((await ask(app, `/predicted-ratings/shop/r/u?items=${list}`)).status, 400, list)
})

t.test('an encoded comma belongs to an id in the embedded recommender and under HEAD, too', async t => {
  const { app } = await startGateway(t)
  t.strictSame(itemsOf(await ask(app, '/rerank-items/store/ranking/me/1%2C5-liter,b')), ['1,5-liter', 'b'])
  t.equal((await app.inject({ method: 'HEAD', url: '/rerank-items/store/ranking/me/1%2C5-liter,c?x=1' })).statusCode, 200)
})

t.test('bad percent-encoding in a query is 400 as in a path, and never the same user as an encoded "%"', async t => {
  const server = await startHttpRecommender(t)
  const { app } = await startCachedShop(t, server)
  const bad = ['%ff', '%', '%z', '%zz', 'a%2', '%C3', '%C3%28', '%C0%AF', '%ED%A0%80', '%F4%90%80%80', '100%', '%u0041', '%E2%80']
  for (const text of bad) {
    for (const url of [`/related-items/shop/r/i?userId=${text}`, `/related-items/shop/r/i?${text}=1`, `/related-items/shop/r/i?a=b&x=${text}`, `/health/live?${text}`, `/recommend-items/shop/r/${text}`, `/nothing?${text}`]) {
      const { statusCode, body } = await app.inject(url)
      t.match({ statusCode, ...JSON.parse(body) }, { statusCode: 400, type: 'Validation', code: 'InvalidUrl', requestId: String }, url)
    }
    const event = await app.inject({ method: 'POST', url: `/events/shop?a=${text}`, payload: { userId: 'u', eventList: [{ eventType: 'view' }] } })
    t.equal(event.statusCode, 400, event.body)
  }
  t.equal(server.received.length, 0)
  for (const [text, userId] of [['%25ff', '%ff'], ['%C3%BF', 'ÿ'], ['a+b', 'a b'], ['%2B', '+'], ['a=b', 'a=b']] as const) {
    await app.inject(`/related-items/shop/r/i?userId=${text}`)
    t.match(server.received.pop()!.body, { userId }, text)
  }
})

t.test('what the key normalises, the request normalises: the provider gets the same from every request that shares an entry', async t => {
  const server = await startHttpRecommender(t)
  server.answer(({ path }) => ({ body: path.startsWith('/rerank') ? { personalizedRanking: ['a'] } : { itemList: ['a'] } }))
  const user = '/recommend-items/shop/r/u'
  const query = (...pairs: Array<[string, string]>): string => `?${pairs.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&')}`
  const groups: string[][] = [
    ['', '?context=%7B%7D', '?context=', '?context', '?context=%20%7B%0A%7D', '?numResults=025', '?numResults=25', '?numResults=', '?decorateItems=YES', '?decorateItems=', '?filter=', '?userId=x', '?feature=', '?syntheticUser=1'].map(text => user + text),
    ['{"b":"2","a":"1"}', '{"a":"1","b":"2"}', '{"a":"x","b":"2","a":"1"}', '{"\\u0061":"1" , "b":"2"}'].map(text => user + query(['context', text])),
    ['{"10":"a","9":"b","x":"c"}', '{"x":"c","9":"b","10":"a"}'].map(text => user + query(['context', text])),
    ['/related-items/shop/r/i', '/related-items/shop/r/i?userId=', '/related-items/shop/r/%69?userId'],
    ['/rerank-items/shop/r/u/a,b', '/rerank-items/shop/r/u/%61,%62', '/rerank-items/shop/r/u/a,b?context=%7B%7D']
  ]
  for (const urls of groups) {
    const bodies = new Set<string>()
    for (const url of urls) {
      // Another gateway for each: none has the answer of another one.
      const { app } = await startCachedShop(t, server)
      const { statusCode, body } = await app.inject(url)
      t.equal(statusCode, 200, `${url}: ${body}`)
      bodies.add(JSON.stringify(server.received.pop()!.body))
    }
    t.equal(bodies.size, 1, [...bodies].join(' '))
    const { app } = await startCachedShop(t, server)
    for (const [i, url] of urls.entries()) t.equal(isHit(await app.inject(url)), i > 0, url)
    server.received.length = 0
  }
})

t.test('derived and given context are sent in one order', async t => {
  const server = await startHttpRecommender(t)
  const autoContext = { b: { type: 'string', rules: [{ type: 'header-value', header: 'x-b' }] } }
  const app = await startShop(t, { 'recommend-items': { r: { variations: { v: { type: 'http', url: server.url, method: 'POST' } } } } }, { autoContext })
  await app.inject({ url: '/recommend-items/shop/r/u?context={"a":"1"}', headers: { 'x-b': '2' } })
  await app.inject({ url: '/recommend-items/shop/r/u?context={"b":"2","a":"1"}' })
  t.strictSame(server.received.map(({ body }) => JSON.stringify((body as { context: object }).context)), ['{"a":"1","b":"2"}', '{"a":"1","b":"2"}'])
})

t.test('empty query values mean absent, on every route', async t => {
  const { app } = await startGateway(t, undefined, { adminKey: 'an-admin-key-of-a-test' })
  const empty = ['filter=', 'filterValues=', 'context=', 'decorateItems=', 'syntheticUser=', 'feature=', 'userId=', 'numResults=', 'filter', 'numResults', 'numResults=&numResults=']
  for (const path of ['/recommend-items/store/for-you/u', '/related-items/store/similar/i', '/rerank-items/store/ranking/u/a,b']) {
    const plain = await app.inject(path)
    for (const query of [...empty, empty.join('&')]) {
      const { statusCode, body } = await app.inject(`${path}?${query}`)
      t.equal(statusCode, 200, `${query}: ${body}`)
      t.equal(body, plain.body, query)
      const explained = await app.inject({ url: `/explain${path}?${query}`, headers: { 'x-api-key': 'an-admin-key-of-a-test' } })
      t.equal(explained.statusCode, 200, explained.body)
    }
  }
  const posted = await app.inject({ method: 'POST', url: `/rerank-items/store/ranking/u?${empty.join('&')}`, payload: ['a'] })
  t.equal(posted.statusCode, 200, posted.body)
})

t.test('items without a value are absent, and then missing', async t => {
  const { app } = await startCachedShop(t, await startHttpRecommender(t))
  for (const query of ['', '?items=', '?items', '?item=a']) {
    t.match((await app.inject(`/predicted-ratings/shop/r/u${query}`)).json(), { code: 'InvalidParameter', message: /^items: is missing; expected a list of 1 to 500 items$/ }, query)
  }
})

t.test('X-Personalization-Ignored-Parameters names unknown query parameters, from the cache and under HEAD too', async t => {
  const { app } = await startGateway(t)
  const url = '/recommend-items/store/for-you/u?numResult=5&numResults=2'
  for (const method of ['GET', 'GET', 'HEAD'] as const) {
    const { statusCode, headers } = await app.inject({ method, url })
    t.match({ statusCode, [ignored]: headers[ignored] }, { statusCode: 200, [ignored]: 'numResult' })
  }
  const { headers: { etag } } = await app.inject(url)
  t.match(await app.inject({ url, headers: { 'if-none-match': etag as string } }), { statusCode: 304, headers: { [ignored]: 'numResult' } })
  t.equal((await app.inject('/recommend-items/store/for-you/u?numResults=2&filter=')).headers[ignored], undefined)

  const named: Array<[string, string]> = [
    ['a&b=&c=1&a=2', 'a, b, c'], ['NUMRESULTS=1', 'NUMRESULTS'], ['items=a', 'items'], ['userId=a', 'userId'], ['__proto__=1&constructor=2', '__proto__, constructor'],
    ['a%0d%0aX-Evil:1=2', 'a%0D%0AX-Evil%3A1'], ['%C3%A9+,=1', '%C3%A9%20%2C'], [`${'x'.repeat(1_000)}=1`, 'x'.repeat(64)], [`${'%F0%9F%98%80'.repeat(100)}=1`, '%F0%9F%98%80'.repeat(64)],
    [Array.from({ length: 30 }, (_, i) => `p${i}=1`).join('&'), 'p0, p1, p2, p3, p4, p5, p6, p7, p8, p9, ...']
  ]
  for (const [query, names] of named) t.equal((await app.inject(`/recommend-items/store/for-you/u?${query}`)).headers[ignored], names, query)

  t.match(await app.inject('/recommend-items/store/for-you/u?numresults=5&numResults=0'), { statusCode: 400, headers: { [ignored]: 'numresults' } })
  t.match(await app.inject('/health/live?x'), { statusCode: 200, headers: { [ignored]: 'x' } })
  t.match(await app.inject({ method: 'POST', url: '/rerank-items/store/ranking/u?numResults=1', payload: ['a'] }), { statusCode: 200, headers: { [ignored]: 'numResults' } })
  t.match(await app.inject({ method: 'POST', url: '/items/store?x=1', payload: { items: [{ itemId: 'a' }] } }), { statusCode: 200, headers: { [ignored]: 'x' } })
})

t.test('the event routes pass the query on to records, so that none of it is ignored', async t => {
  const { app } = await startGateway(t)
  const recording = recordingTarget()
  addTarget(app, 'store', 'recording', recording)
  const answer = await app.inject({ method: 'POST', url: '/events/store?source=mail&empty=', payload: { userId: 'u', eventList: [{ eventType: 'view' }] } })
  t.equal(answer.headers[ignored], undefined)
  t.match(recording.bodies, [{ broughtBy: { query: { source: 'mail', empty: '' } } }])
})
