import t from 'tap'
import { cachedDocument, get, isHit, startCachedShop } from '../support/cached-shop.ts'
import { startGateway } from '../support/gateway.ts'
import { startHttpRecommender } from '../support/http-recommender.ts'

const server = await startHttpRecommender(t)
server.answer(({ path }) => ({ body: path.startsWith('/rerank') ? { personalizedRanking: ['a', 'b'] } : { itemList: ['a', 'b'] } }))
t.beforeEach(() => { server.received.length = 0 })

const withQuery = (query: Record<string, string>): string => `/recommend-items/shop/r/u?${new URLSearchParams(query).toString()}`

/** Urls that mean the same, in many spellings. */
const same: Record<string, string[]> = {
  'whether to decorate': ['', '?decorateItems=yes', '?decorateItems=true', '?decorateItems=TRUE', '?decorateItems=1', '?decorateItems=', '?decorateItems'].map(query => `/recommend-items/shop/r/u${query}`),
  'that nothing is to be decorated': ['no', 'false', '0', 'nonsense'].map(no => `/recommend-items/shop/r/u?decorateItems=${no}`),
  'how many are wanted': ['', '?numResults=25', '?numResults=025', '?numResults=', '?numResults=%32%35'].map(query => `/recommend-items/shop/r/u${query}`),
  context: ['{"a":"1","b":"2"}', '{"b":"2","a":"1"}', ' { "a" : "1",\n"b":"2" } ', '{"\\u0061":"1","b":"\\u0032"}', '{"a":"0","a":"1","b":"2"}'].map(context => withQuery({ context })),
  'filter values': ['{"A":"\\"x\\",\\"y\\"","B":"2"}', '{"B":"2","A":"\\"x\\",\\"y\\""}', '{\t"B":"2" ,"A":"\\u0022x\\",\\"y\\"" }'].map(filterValues => withQuery({ filter: 'f', filterValues })),
  'maps with nothing in them': ['', '?context=%7B%7D', '?filterValues=%7B%7D', '?context=&filterValues=', '?context=%7B%20%7D&filterValues=%7B%7D'].map(query => `/recommend-items/shop/r/u${query}`),
  'the path': ['/recommend-items/shop/r/caf%C3%A9-1', '/recommend-items/shop/r/caf%c3%a9-1', '/recommend-items/shop/r/%63af%C3%A9%2D1', '/recommend-items/sh%6Fp/%72/caf%C3%A9-1'],
  'a list with repeats': ['/rerank-items/shop/r/u/a,b', '/rerank-items/shop/r/u/a,b,b', '/rerank-items/shop/r/u/a,b,a,b'],
  'a list of items': ['/rerank-items/shop/r/u/a,b', '/rerank-items/shop/r/u/%61,b', '/rerank-items/shop/r/u/%61,%62'],
  'a comma that belongs to an id': ['/rerank-items/shop/r/u/1%2C5,b', '/rerank-items/shop/r/u/1%2c5,%62'],
  'the order of parameters': ['/related-items/shop/r/i?userId=u&numResults=3', '/related-items/shop/r/i?numResults=3&userId=u', '/related-items/shop/r/i?numResults=3&userId=u&unknown=1']
}

const different: Record<string, string[]> = {
  'the user': ['/recommend-items/shop/r/u', '/recommend-items/shop/r/U', '/recommend-items/shop/r/u%20', '/recommend-items/shop/r/u%2Fv', '/recommend-items/shop/r/%C3%A9', '/recommend-items/shop/r/e%CC%81'],
  'the action': ['/recommend-items/shop/r/u', '/related-items/shop/r/u', '/related-items/shop/r/u?userId=u'],
  'how many are wanted': ['', '?numResults=1', '?numResults=24', '?numResults=26'].map(query => `/recommend-items/shop/r/u${query}`),
  'whether to decorate': ['', '?decorateItems=no'].map(query => `/recommend-items/shop/r/u${query}`),
  'the items and their order': ['/rerank-items/shop/r/u/a,b', '/rerank-items/shop/r/u/b,a', '/rerank-items/shop/r/u/a,b,c', '/rerank-items/shop/r/u/a%22,%22b', '/rerank-items/shop/r/u/a%2Cb', '/rerank-items/shop/r/u/ab'],
  context: ['{}', '{"a":"1"}', '{"a":"2"}', '{"A":"1"}', '{"a":"1","b":"1"}', '{"b":"1"}', '{"a":"1 "}', '{"__proto__":"1"}', '{"a":"1\\",\\"b\\":\\"1"}'].map(context => withQuery({ context }))
}

for (const [what, urls] of Object.entries(same)) {
  t.test(`of all that say the same, all but the first are hits: ${what}`, async t => {
    const filtering = JSON.stringify(cachedDocument(server)).replaceAll('{userId}', '{userId}?f={filter}&v={filterValues}')
    const { app } = await startGateway(t, JSON.parse(filtering) as object)
    for (const [i, url] of urls.entries()) {
      const answer = await get(app, url)
      t.equal(answer.statusCode, 200, answer.body)
      t.equal(isHit(answer), i > 0, `${url}: ${String(answer.headers['cache-status'])}`)
    }
    t.equal(server.received.length, 1)
  })
}

for (const [what, urls] of Object.entries(different)) {
  t.test(`of all that say something different, none is a hit, and then each is: ${what}`, async t => {
    const { app } = await startCachedShop(t, server)
    for (const hit of [false, true]) {
      for (const url of urls) {
        const answer = await get(app, url)
        t.equal(answer.statusCode, 200, answer.body)
        t.equal(isHit(answer), hit, `${url}: ${String(answer.headers['cache-status'])}`)
      }
    }
    t.equal(server.received.length, urls.length)
  })
}

t.test('that a user stands for a group changes what others may keep, and not the answer', async t => {
  const { app } = await startCachedShop(t, server)
  const given = await get(app, '/recommend-items/shop/r/u')
  const synthetic = await get(app, '/recommend-items/shop/r/u?syntheticUser=yes')
  t.ok(isHit(synthetic))
  t.equal(synthetic.headers.etag, given.headers.etag)
  t.strictSame([given, synthetic].map(({ headers }) => headers['cache-control']), ['private,max-age=10', 'public,max-age=300'])
})
