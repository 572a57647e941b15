import { once } from 'node:events'
import { connect, type AddressInfo, type Socket } from 'node:net'
import t from 'tap'
import { defaultLimits } from '../../src/limits/settings.ts'
import { readSettings } from '../../src/settings.ts'
import { eventually } from '../support/eventually.ts'
import { startGateway } from '../support/gateway.ts'
import { rawRequests } from '../support/raw-request.ts'

t.test('limits of URL, headers, body and JSON depth are settings', async t => {
  const limits = { ...defaultLimits, url: 1_024, headers: 4_096, body: 16_384, jsonDepth: 4 }
  const { app } = await startGateway(t, undefined, { limits })
  const post = async (url: string, payload: string): Promise<number> => (await app.inject({ method: 'POST', url, payload, headers: { 'content-type': 'application/json' } })).statusCode
  t.equal((await app.inject(`/${'x'.repeat(1_023)}`)).statusCode, 404)
  t.equal((await app.inject(`/${'x'.repeat(1_024)}`)).statusCode, 414)
  t.equal(await post('/events/store', JSON.stringify('x'.repeat(16_384))), 413)
  t.equal(await post('/events/store/batch', JSON.stringify(['x'.repeat(16_384 * 3)])), 207, 'a batch may be four times as long')
  t.equal(await post('/events/store/batch', JSON.stringify(['x'.repeat(16_384 * 4)])), 413)
  const deep = await app.inject({ method: 'POST', url: '/events/store', payload: `{"a":${'['.repeat(4)}${']'.repeat(4)}}`, headers: { 'content-type': 'application/json' } })
  t.match(deep.json(), { code: 'InvalidBody', message: 'body: expected at most 4 lists and objects within each other' })
  const send = await rawRequests(t, app)
  t.equal((await send(`GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(4_200)}\r\n\r\n`)).status, 431)
})

t.test('limits of time and connections are settings with their defaults', async t => {
  t.strictSame(defaultLimits, { url: 8_192, headers: 16_384, body: 1_048_576, jsonDepth: 32, connections: 10_000, keepAlive: 72_000, headersTimeout: 15_000, requestTimeout: 30_000 })
  const { app } = await startGateway(t, undefined, { limits: { ...defaultLimits, keepAlive: 90_000, headersTimeout: 2_000, requestTimeout: 3_000, connections: 20 } })
  t.match(app.server, { keepAliveTimeout: 90_000, headersTimeout: 2_000, requestTimeout: 3_000, maxConnections: 20 })
  for (const [name, wrong] of Object.entries({ MAX_URL_LENGTH: '16384', HEADERS_TIMEOUT: '31', RATE_LIMIT: 'read:1', TRUST_PROXY: 'true', CORS_ORIGINS: 'https://shop.example/' })) t.throws(() => readSettings({ [name]: wrong }), { message: new RegExp(`^${name} `) }, name)
})

t.test('limits of connections: further ones are closed, and idle ones make room for probes', async t => {
  const { app } = await startGateway(t, undefined, { limits: { ...defaultLimits, connections: 3 } })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const open = async (): Promise<Socket> => {
    const socket = connect(port, '127.0.0.1').on('error', () => {})
    t.teardown(() => socket.destroy())
    await once(socket, 'connect')
    return socket
  }
  for (let i = 0; i < 3; i++) {
    const socket = await open()
    socket.write('GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n')
    await once(socket, 'data')
  }
  const fourth = await open()
  await once(fourth, 'close')
  await eventually('a probe is answered', async () => fetch(`http://127.0.0.1:${port}/health/live`).then(({ ok }) => ok, () => false))
})
