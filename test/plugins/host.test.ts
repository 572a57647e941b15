import t from 'tap'
import { startGateway } from '../support/gateway.ts'
import { rawRequests } from '../support/raw-request.ts'

/** Header lines, and whether they name a host as RFC 9112 §3.2 demands. */
const cases: Array<[string, boolean]> = [
  ['Host: localhost\r\n', true],
  ['host: my_service.internal:8080\r\n', true],
  ['Host: 10.0.0.1:80\r\n', true],
  ['Host: [::1]:8080\r\n', true],
  ['Host: b%C3%BCcher.example\r\n', true],
  ['Host: a:\r\n', true],
  ['', false],
  ['Host:\r\n', false],
  ['Host: a\r\nHost: a\r\n', false],
  ['Host: a\r\nX-Other: 1\r\nHOST: b\r\n', false],
  ['Host: a b\r\n', false],
  ['Host: a, b\r\n', false],
  ['Host: http://a\r\n', false],
  ['Host: a/b\r\n', false],
  ['Host: me@a\r\n', false],
  ['Host: a:b\r\n', false],
  ['Host: a:80:80\r\n', false],
  ['Host: a:65536\r\n', false],
  ['Host: [::1\r\n', false],
  ['Host: [1:2]\r\n', false],
  ['Host: a%zz\r\n', false],
  ['Host: b\xfccher\r\n', false],
  [`Host: ${'a'.repeat(300)}\r\n`, false]
]

t.test('a missing, repeated or malformed Host is refused with the body of the contract', async t => {
  const { app } = await startGateway(t)
  const send = await rawRequests(t, app)
  for (const [lines, good] of cases) {
    for (const [method, path] of [['GET', '/health/live'], ['POST', '/nothing']]) {
      const { status, body } = await send(`${method} ${path} HTTP/1.1\r\n${lines}Connection: close\r\n\r\n`)
      if (good) t.equal(status, method === 'GET' ? 200 : 404, lines)
      else t.match([status, JSON.parse(body)], [400, { type: 'Validation', code: 'InvalidRequest', message: /^Host: /, requestId: String }], lines)
    }
  }
  t.equal((await send('GET /health/live HTTP/1.0\r\n\r\n')).status, 200, 'HTTP/1.0 needs none')
})

t.test('what the parser refuses has the body of the contract', async t => {
  const { app } = await startGateway(t)
  const send = await rawRequests(t, app)
  for (const [request, status, code] of [
    ['GET /health/live\r\n\r\n', 400, 'InvalidRequest'],
    ['BREW /health/live HTTP/1.1\r\nHost: a\r\n\r\n', 400, 'InvalidRequest'],
    ['GET /health/live HTTP/1.1\r\nHost : a\r\n\r\n', 400, 'InvalidRequest'],
    ['POST /events/store HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n', 400, 'InvalidRequest'],
    [`GET /health/live HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431, 'HeadersTooLarge'],
    [`GET /${'x'.repeat(9_000)} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`, 414, 'UrlTooLong']
  ] as const) {
    const answer = await send(request)
    t.match([answer.status, JSON.parse(answer.body)], [status, { type: 'Validation', code, message: String, requestId: answer.headers['x-request-id'] }], request.slice(0, 60))
    t.equal(answer.headers['cache-control'], 'no-store')
  }
})
