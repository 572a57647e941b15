import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { addTarget, heldAnswer, recordingTarget } from '../support/event-targets.ts'
import { eventually } from '../support/eventually.ts'
import { startGateway } from '../support/gateway.ts'

const mebibyte = 1024 * 1024

/** Returns a batch of about 3 MiB, of which two find room at once, but not three. */
function batch (user: string): string {
  const eventList = Array.from({ length: 450 }, () => ({ eventType: 'view', itemId: 'tea', properties: { text: 'x'.repeat(1_000) } }))
  return JSON.stringify(Array.from({ length: 6 }, (_, i) => ({ userId: `${user}-${i}`, eventList })))
}

const post = async (app: FastifyInstance, url: string, payload: string | Buffer): Promise<number> =>
  (await app.inject({ method: 'POST', url, payload, headers: { 'content-type': 'application/json' } })).statusCode

t.test('a large body holds its room until its request is answered: a third batch waits while two are delivered', async t => {
  const { app } = await startGateway(t)
  const held = heldAnswer()
  const recording = recordingTarget(held.answer)
  addTarget(app, 'store', 'recording', recording)
  const users = (): string[] => [...new Set(recording.bodies.map(({ userId }) => userId!.split('-')[0]!))]
  const sent = ['a', 'b', 'c'].map(async user => post(app, '/events/store/batch', batch(user)))
  await eventually('two batches are being delivered', () => recording.bodies.length === 12)
  const small = post(app, '/events/store', '{"userId":"small","eventList":[{"eventType":"view"}]}')
  await eventually('a small body needs no room', () => recording.bodies.length === 13)
  t.equal(users().length, 3, 'two batches, and the small body')
  held.settle()
  t.strictSame(await Promise.all([...sent, small]), [200, 200, 200, 200])
  t.equal(users().length, 4)
})

t.test('the room is given back in every case: refused, too large, not JSON, cut off by the client', async t => {
  const { app } = await startGateway(t)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  // Each of these bodies takes all of the room. If one kept it, the next one would wait for 10 s, and get a 503.
  const filled = (opening: string, closing: string): string => opening + ' '.repeat(8 * mebibyte - 200) + closing
  const began = performance.now()
  for (let i = 0; i < 3; i++) {
    t.equal(await post(app, '/items/store', filled('{"items":[{"itemId":"tea"}],', '"unknown":1}')), 400)
    t.equal(await post(app, '/items/store', filled('{"items":[{"itemId":"tea"}]', '')), 400)
    t.equal(await post(app, '/items/store', filled('{"items":[{"itemId":"tea"}]', `}${' '.repeat(1_000)}`)), 413)
    t.equal(await post(app, '/items/store', filled('{"items":[{"itemId":"tea"}]', '}')), 200)
    const socket = connect(port, '127.0.0.1')
    const body = filled('{"items":[{"itemId":"tea"}]', '}')
    await new Promise(resolve => socket.write(`POST /items/store HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`, resolve))
    socket.destroy()
    await once(socket, 'close')
  }
  t.equal(await post(app, '/items/store', filled('{"items":[{"itemId":"tea"}]', '}')), 200)
  t.ok(performance.now() - began < 10_000, 'nobody waited for room in vain')
})
