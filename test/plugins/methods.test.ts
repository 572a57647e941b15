import t from 'tap'
import { startGateway } from '../support/gateway.ts'
import { rawRequests } from '../support/raw-request.ts'

const contract = { type: 'Validation', message: String, requestId: String }

/** A path, and the methods that it has. */
const places: Array<[string, string]> = [
  ['/recommend-items/store/for-you/me', 'GET, HEAD, OPTIONS'],
  ['/recommend-items/store/for-you/caf%C3%A9', 'GET, HEAD, OPTIONS'],
  ['/related-items/store/similar/tea?userId=me', 'GET, HEAD, OPTIONS'],
  ['/predicted-ratings/store/ratings/me', 'GET, HEAD, OPTIONS'],
  ['/rerank-items/store/ranking/me', 'OPTIONS, POST'],
  ['/rerank-items/store/ranking/me/a%2Fb,c', 'GET, HEAD, OPTIONS'],
  ['/explain/recommend-items/store/for-you/me', 'GET, HEAD, OPTIONS'],
  ['/events/store', 'OPTIONS, POST'],
  ['/events/store/batch', 'OPTIONS, POST'],
  ['/users/store', 'OPTIONS, POST'],
  ['/items/store', 'OPTIONS, POST'],
  ['/health/live', 'GET, HEAD, OPTIONS'],
  ['/metrics', 'GET, HEAD, OPTIONS'],
  ['/docs', 'GET, HEAD, OPTIONS'],
  ['/docs/json', 'GET, HEAD, OPTIONS'],
  ['/docs/static/swagger-ui.css', 'GET, HEAD, OPTIONS']
]

t.test('another method on a known path is 405 with Allow, and OPTIONS is 204 with Allow', async t => {
  const { app } = await startGateway(t)
  for (const [url, allow] of places) {
    // The body is not read: neither its type nor its form matters.
    const method = allow.includes('POST') ? 'GET' : 'POST'
    for (const other of [method, 'PUT', 'PATCH', 'DELETE'] as const) {
      const refused = await app.inject({ method: other, url, ...(other === 'GET' ? {} : { payload: '{', headers: { 'content-type': 'text/plain' } }) })
      t.match([refused.statusCode, refused.headers['allow'], refused.json()], [405, allow, { ...contract, code: 'MethodNotAllowed' }], `${other} ${url}`)
      t.equal(refused.headers['cache-control'], 'no-store')
    }
    const options = await app.inject({ method: 'OPTIONS', url })
    t.strictSame([options.statusCode, options.headers['allow'], options.body], [204, allow, ''], `OPTIONS ${url}`)
  }
})

t.test('a path that no method has is 404, whatever the body is', async t => {
  const { app } = await startGateway(t)
  for (const method of ['GET', 'POST', 'OPTIONS', 'DELETE'] as const) {
    const { statusCode, headers, body } = await app.inject({ method, url: '/recommend-item/x', ...(method === 'POST' ? { payload: 'x', headers: { 'content-type': 'text/csv' } } : {}) })
    t.match([statusCode, JSON.parse(body)], [404, { ...contract, code: 'RouteNotFound', message: `there is nothing at ${method} /recommend-item/x` }])
    t.notOk('allow' in headers)
  }
})

t.test('methods that Fastify has no routes for are 405 too, and unknown expectations are ignored', async t => {
  const { app } = await startGateway(t)
  const send = await rawRequests(t, app)
  const rest = 'HTTP/1.1\r\nHost: a\r\nConnection: close\r\n'
  for (const method of ['TRACE', 'PROPFIND', 'QUERY']) {
    const { status, headers, body } = await send(`${method} http://a/events/store ${rest}\r\n`)
    // Node.js 20 does not know QUERY.
    if (method === 'QUERY' && status === 400) continue
    t.match([status, headers['allow'], JSON.parse(body)], [405, 'OPTIONS, POST', { ...contract, code: 'MethodNotAllowed' }], method)
  }
  const connect = await send(`CONNECT a:80 ${rest}\r\n`)
  t.match([connect.status, connect.headers, JSON.parse(connect.body)], [405, { allow: 'GET, HEAD, OPTIONS, POST' }, { ...contract, code: 'MethodNotAllowed' }])
  t.match(await send(`OPTIONS * ${rest}\r\n`), { status: 204, headers: { allow: 'GET, HEAD, OPTIONS, POST' } }, 'of the server as a whole')
  t.match(await send(`GET /health/live ${rest}Expect: tea\r\n\r\n`), { status: 200, body: '{"status":"live"}' })
})

t.test('a Range beyond the end of a file of /docs is 416, and a failed precondition is 412', async t => {
  const { app } = await startGateway(t)
  const get = async (headers: Record<string, string>): Promise<{ statusCode: number, headers: object, body: string }> => app.inject({ url: '/docs/static/swagger-ui.css', headers })
  const length = Number((await app.inject('/docs/static/swagger-ui.css')).headers['content-length'])
  for (const range of [`bytes=${length}-`, 'bytes=99999999-100000000', 'bytes=99999999-']) {
    const { statusCode, headers, body } = await get({ range })
    t.match([statusCode, headers, JSON.parse(body)], [416, { 'content-range': `bytes */${length}` }, { ...contract, code: 'RangeNotSatisfiable' }], range)
  }
  t.match(await get({ range: `bytes=${length - 1}-` }), { statusCode: 206, headers: { 'content-length': '1' } })
  t.match(await get({ 'if-match': '"another"' }), { statusCode: 412, body: /"code":"PreconditionFailed"/ })
})
