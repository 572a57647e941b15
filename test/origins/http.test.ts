import t, { type Test } from 'tap'
import type { Action } from '../../src/origins/origin.ts'
import { originContract } from '../contracts/origin.ts'
import { startHttpRecommender, type HttpRecommender } from '../support/http-recommender.ts'
import { modelAnswer } from '../support/model-answer.ts'
import { openOrigin, requests } from '../support/open-origin.ts'

const signal = new AbortController().signal
const withAnswers = (server: HttpRecommender): void => server.answer(({ body }) => ({ body: modelAnswer(body).body }))

originContract({
  type: 'http',
  provider: 'Http',
  async open (t) {
    const server = await startHttpRecommender(t)
    withAnswers(server)
    return {
      origin: await openOrigin(t, { type: 'http', url: `${server.url}/{action}`, method: 'POST' }),
      expected: action => modelAnswer(requests[action]).answer,
      misbehave: failure => { if (failure !== 'model-error' && failure !== 'function-error') server.misbehave(failure) },
      received: () => server.received.length,
      reached: server.reached
    }
  }
})

/** The one request that the server received. */
function sent (t: Test, server: HttpRecommender): HttpRecommender['received'][number] {
  const [request, ...more] = server.received.splice(0)
  t.equal(more.length, 0)
  return request!
}

const answers: Record<Action, object> = {
  'recommend-items': { itemList: [] }, 'related-items': { itemList: [] }, 'rerank-items': { personalizedRanking: [] }, 'predicted-ratings': { ratings: [1, 2, 3] }
}

t.test('GET, with nothing but what the template says', async t => {
  const server = await startHttpRecommender(t)
  const url = `${server.url}/v1/{action}/{namespace}/{recommender}?user={userId}&item={itemId}&items={itemIds}&n={numResults}&fixed=a%20b`
  const origin = await openOrigin(t, { type: 'http', url })
  const paths: Record<Action, string> = {
    'recommend-items': '/v1/recommend-items/shop/home?user=user-1&item=&items=&n=4&fixed=a%20b',
    'related-items': '/v1/related-items/shop/home?user=&item=item-3&items=&n=4&fixed=a%20b',
    'rerank-items': '/v1/rerank-items/shop/home?user=user-1&item=&items=item-9,item-2,item-5&n=3&fixed=a%20b',
    'predicted-ratings': '/v1/predicted-ratings/shop/home?user=user-1&item=&items=item-9,item-2,item-5&n=3&fixed=a%20b'
  }
  for (const [action, path] of Object.entries(paths) as Array<[Action, string]>) {
    server.answer(() => ({ body: answers[action] }))
    await origin.recommend(requests[action], signal)
    t.strictSame(sent(t, server), {
      method: 'GET', path, headers: { host: new URL(server.url).host, connection: 'keep-alive', accept: 'application/json' }, body: ''
    })
  }
})

t.test('POST, with the request as a mapping sees it', async t => {
  const server = await startHttpRecommender(t)
  withAnswers(server)
  const origin = await openOrigin(t, { type: 'http', url: `${server.url}/recommend`, method: 'POST' })
  const bodies: Record<Action, object> = {
    'recommend-items': { action: 'recommend-items', namespace: 'shop', recommender: 'home', userId: 'user-1', numResults: 4, context: { device: 'tv' } },
    'related-items': { action: 'related-items', namespace: 'shop', recommender: 'home', itemId: 'item-3', numResults: 4, context: { device: 'tv' } },
    'rerank-items': { action: 'rerank-items', namespace: 'shop', recommender: 'home', userId: 'user-1', itemIds: ['item-9', 'item-2', 'item-5'], numResults: 3, context: { device: 'tv' } },
    'predicted-ratings': { action: 'predicted-ratings', namespace: 'shop', recommender: 'home', userId: 'user-1', itemIds: ['item-9', 'item-2', 'item-5'], numResults: 3, context: { device: 'tv' } }
  }
  for (const [action, body] of Object.entries(bodies) as Array<[Action, object]>) {
    // What the gateway keeps of a request for itself is no business of a recommender.
    const internal = { syntheticUser: false, feature: 'x', filter: 'f', filterValues: { A: '1' } }
    await origin.recommend({ ...requests[action], ...internal, context: { device: 'tv' } }, signal)
    const request = sent(t, server)
    t.strictSame(request.body, body, action)
    t.match(request, { method: 'POST', path: '/recommend' })
    t.strictSame(Object.keys(request.headers).sort(), ['accept', 'connection', 'content-length', 'content-type', 'host'])
    t.equal(request.headers.accept, 'application/json')
    t.equal(request.headers['content-type'], 'application/json')
  }
})

t.test('configured headers go along and take the place of the usual ones, however they are spelled', async t => {
  const server = await startHttpRecommender(t)
  const headers = { Accept: 'text/csv', 'Content-Type': 'text/csv', Authorization: 'Bearer secret', 'x-trace': '' }
  const origin = await openOrigin(t, { type: 'http', url: server.url, method: 'POST', headers, request: '"1,2"' })
  await origin.recommend(requests['recommend-items'], signal)
  const request = sent(t, server)
  t.equal(request.body, '1,2')
  const { accept, authorization, 'content-type': contentType, 'x-trace': trace } = request.headers
  t.strictSame({ accept, contentType, authorization, trace }, { accept: 'text/csv', contentType: 'text/csv', authorization: 'Bearer secret', trace: '' })
})

t.test('an answer other than 200 is none, and a redirect leads nowhere', async t => {
  const server = await startHttpRecommender(t)
  const elsewhere = await startHttpRecommender(t)
  const origin = await openOrigin(t, { type: 'http', url: server.url })
  for (const status of [201, 204, 301, 302, 307, 308]) {
    server.answer(() => ({ status, headers: { location: elsewhere.url }, body: status === 204 ? '' : { itemList: [] } }))
    await t.rejects(origin.recommend(requests['recommend-items'], signal), { name: 'OriginError', failure: 'invalid-answer' }, `${status}`)
  }
  for (const [status, failure] of [[401, 'refused'], [408, 'timeout'], [422, 'bad-request'], [504, 'timeout'], [599, 'unavailable']] as const) {
    server.answer(() => ({ status, body: 'no' }))
    await t.rejects(origin.recommend(requests['recommend-items'], signal), { name: 'OriginError', failure }, `${status}`)
  }
  t.equal(elsewhere.received.length, 0)
})

t.test('a host that is not there is unavailable', async t => {
  const server = await startHttpRecommender(t)
  const origin = await openOrigin(t, { type: 'http', url: server.url.replace(/\d+$/, '1') })
  await t.rejects(origin.recommend(requests['recommend-items'], signal), { name: 'OriginError', failure: 'unavailable' })
})
