import t from 'tap'
import { createBodyRoom } from '../../src/base/body-room.ts'

t.test('large bodies wait for room, in their order, and not for ever', async t => {
  const room = createBodyRoom({ capacity: 10, mostWaiting: 2, patience: 50 })
  const order: string[] = []
  const first = await room.take(8)
  const second = room.take(7).then(free => { order.push('second'); return free })
  const third = room.take(1).then(free => { order.push('third'); return free })
  await t.rejects(room.take(1), { code: 'TooManyBodies', status: 503, retryAfter: 1 }, 'the queue is bounded')
  t.strictSame(order, [], 'a small one does not overtake')
  first()
  first()
  const [freeSecond, freeThird] = await Promise.all([second, third])
  t.strictSame(order, ['second', 'third'])
  await t.rejects(room.take(100), { code: 'TooManyBodies' }, 'the wait is bounded')
  freeSecond()
  freeThird()
  const all = await room.take(100)
  all()
})

t.test('room that is occupied without asking makes others wait until it is given back, once', async t => {
  const room = createBodyRoom({ capacity: 10, patience: 50 })
  const leave = room.occupy(25)
  await t.rejects(room.take(1), { code: 'TooManyBodies' })
  leave()
  leave()
  const free = await room.take(10)
  await t.rejects(room.take(1), { code: 'TooManyBodies' }, 'a second call gave nothing back')
  free()
})
