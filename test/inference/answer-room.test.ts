import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { inAnswerRoom, occupyAnswerRoom } from '../../src/inference/answer-room.ts'
import { eventually } from '../support/eventually.ts'
import { startGateway } from '../support/gateway.ts'

const mebibyte = 1024 * 1024

/** Begins to make an answer of 500 items. @returns a function that tells whether there was room for it */
function beginLarge (): { begun: () => boolean, done: Promise<void> } {
  let begun = false
  const done = inAnswerRoom(500, async () => { begun = true })
  return { begun: () => begun, done }
}

t.test('a large answer is not made while others that are being sent take the memory', async t => {
  const leave = occupyAnswerRoom(30 * mebibyte)
  const { begun, done } = beginLarge()
  await setImmediate()
  t.notOk(begun())
  leave()
  await done
  t.ok(begun())
})

t.test('room is given back if making the answer fails', async t => {
  await t.rejects(inAnswerRoom(1_000, async () => { throw new Error('no') }), { message: 'no' })
  await beginLarge().done
})

t.test('an answer of 16 MB takes room until its client has read it, or is gone', async t => {
  const { app } = await startGateway(t)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const itemIds = Array.from({ length: 500 }, (_, i) => `item-${i}`)
  const properties = { text: 'x'.repeat(31_900) }
  for (let i = 0; i < 500; i += 100) {
    const put = await app.inject({ method: 'POST', url: '/items/store', payload: { items: itemIds.slice(i, i + 100).map(itemId => ({ itemId, properties })) } })
    t.equal(put.statusCode, 200)
  }
  const payload = JSON.stringify(itemIds)
  const socket = connect(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.write(`POST /rerank-items/store/ranking/slow HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: ${payload.length}\r\n\r\n${payload}`)
  const [first] = await once(socket.once('data', () => { socket.pause() }), 'data') as [Buffer]
  t.match(first.toString('latin1'), /^HTTP\/1.1 200 /)
  const { begun, done } = beginLarge()
  await setImmediate()
  t.notOk(begun(), 'the client has not read all of it')
  socket.destroy()
  await done
  t.ok(begun())
  const answer = await fetch(`http://127.0.0.1:${port}/rerank-items/store/ranking/fast`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: payload })
  t.equal((await answer.json() as { personalizedRanking: unknown[] }).personalizedRanking.length, 500)
  await eventually('the room is free', async () => beginLarge().done.then(() => true))
})
