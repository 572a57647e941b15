import t from 'tap'
import { createDeliveryQueue } from '../../src/delivery/queue.ts'
import { createShares } from '../../src/delivery/shares.ts'
import { eventually } from '../support/eventually.ts'
import { fakeSink, heldCalls, parcelOf } from '../support/fake-sink.ts'

t.test('a holder uses up its share by the number or by the size of its parcels, and no other holder does', async t => {
  const shares = createShares({ parcels: 3, bytes: 100 })
  for (let i = 0; i < 3; i++) {
    t.notOk(shares.isUsedUp('many'))
    shares.add(['many', `key-${i}`], 1)
  }
  shares.add(['large'], 100)
  t.strictSame(['many', 'large', 'key-0', 'other'].map(shares.isUsedUp), [true, true, false, false])
  shares.remove(['many', 'key-0'], 1)
  shares.remove(['large'], 100)
  t.strictSame(['many', 'large'].map(shares.isUsedUp), [false, false])
})

t.test('an owner has a tenth of a queue, from its first parcel until it is delivered', async t => {
  const held = heldCalls()
  const queue = createDeliveryQueue(fakeSink({ answer: held.answer }), { flushAge: 0, most: { parcels: 100, bytes: 100_000 } })
  const told = [queue.deliver(Array.from({ length: 9 }, (_, i) => parcelOf({ id: `e${i}`, owner: 'hot' })))]
  t.notOk(queue.isUsedUp('hot'))
  told.push(queue.deliver([parcelOf({ id: 'last', owner: 'hot' })]), queue.deliver([parcelOf({ id: 'a', owner: 'other' })]))
  t.strictSame([queue.isUsedUp('hot'), queue.isUsedUp('other'), queue.full], [true, false, false])
  await eventually('the first is under way', () => held.waiting === 1)
  held.release()
  await eventually('and delivered', () => !queue.isUsedUp('hot'))
  const draining = Promise.all(told)
  await eventually('all are delivered', () => {
    if (held.waiting > 0) held.release()
    return queue.depth === 0
  })
  await draining
  t.notOk(queue.isUsedUp('hot'))
})
