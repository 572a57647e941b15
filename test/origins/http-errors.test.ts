import { createServer, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { openOrigin, requests } from '../support/open-origin.ts'

async function start (t: Test, answer: (response: ServerResponse) => void): Promise<{ url: string, connections: () => number }> {
  let connections = 0
  const server = createServer((_request, response) => { answer(response) }).on('connection', () => { connections++ })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => { server.close(); server.closeAllConnections() })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, connections: () => connections }
}

const signal = new AbortController().signal

t.test('what an HTTP recommender says by its status is not waited for any further', async t => {
  const stalling = await start(t, response => response.writeHead(503, { 'content-length': 100 }).write('x'))
  const origin = await openOrigin(t, { type: 'http', url: stalling.url })
  await t.rejects(origin.recommend(requests['recommend-items'], signal), { name: 'OriginError', failure: 'unavailable' })
  const endless = await start(t, response => response.writeHead(400).end(Buffer.alloc(5 * 1024 * 1024)))
  const other = await openOrigin(t, { type: 'http', url: endless.url })
  await t.rejects(other.recommend(requests['recommend-items'], signal), { name: 'OriginError', failure: 'bad-request' })
})

t.test('a short refusal leaves the connection to the next call', async t => {
  const server = await start(t, response => response.writeHead(429).end('slow down'))
  const origin = await openOrigin(t, { type: 'http', url: server.url })
  for (let i = 0; i < 5; i++) await t.rejects(origin.recommend(requests['recommend-items'], signal), { name: 'OriginError', failure: 'throttled' })
  t.ok(server.connections() < 5, `${server.connections()} connections`)
})
