import t, { type Test } from 'tap'
import { createDeliveryQueue, type DeliveryQueue, type QueueOptions } from '../../src/delivery/queue.ts'
import type { Failure, Refusal } from '../../src/delivery/sink.ts'
import { eventually } from '../support/eventually.ts'
import { fakeSink, heldCalls, parcelOf, SinkFailure, takesAll, type FakeSink, type Thing } from '../support/fake-sink.ts'
import { turnedClock } from '../support/turned-clock.ts'

const away: Failure = { reason: 'away', retry: 'later', away: true }
const throttled: Refusal = { reason: 'too fast', retry: 'now' }

const things = (count: number, owner = (i: number): string => `u${i}`) => Array.from({ length: count }, (_, i) => parcelOf({ id: `e${i}`, owner: owner(i) }))
const idsOf = (calls: ReadonlyArray<readonly Thing[]>): string[][] => calls.map(call => call.map(({ id }) => id))

/** A queue for which age is no reason to send anything, unless a test says otherwise. */
function queueFor (t: Test, sink: FakeSink, options: QueueOptions = {}): DeliveryQueue<Thing> {
  const queue = createDeliveryQueue(sink, { flushAge: 60_000, random: () => 0, ...options })
  t.teardown(async () => queue.drain())
  return queue
}

t.test('what comes within the flush age goes together, and does not wait for longer', async t => {
  const sink = fakeSink()
  const queue = queueFor(t, sink, { flushAge: 5 })
  const outcomes = await Promise.all(things(3).map(async parcel => queue.deliver([parcel])))
  t.strictSame(outcomes, [[undefined], [undefined], [undefined]])
  t.strictSame(idsOf(sink.calls), [['e0', 'e1', 'e2']])
})

t.test('a full call does not wait, and what is left over goes at its age', async t => {
  const sink = fakeSink()
  const queue = queueFor(t, sink)
  const told = queue.deliver(things(10))
  t.equal(sink.calls.length, 1, 'at once')
  t.strictSame(await told, Array(10).fill(undefined))
})

t.test('nothing to deliver is delivered', async t => {
  const sink = fakeSink()
  t.strictSame(await queueFor(t, sink).deliver([]), [])
  t.strictSame(sink.calls, [])
})

t.test('what is too large for a call beside others goes in another, or by itself', async t => {
  const sink = fakeSink()
  const queue = queueFor(t, sink, { flushAge: 1 })
  const sizes = [400, 400, 400, 5_000, 100]
  await queue.deliver(sizes.map((size, i) => parcelOf({ id: `e${i}`, owner: `u${i}`, size })))
  t.strictSame(idsOf(sink.calls), [['e0', 'e1'], ['e2'], ['e3'], ['e4']])
})

t.test('a target that takes some of a call gets no two of one owner in it', async t => {
  const sink = fakeSink()
  const queue = queueFor(t, sink, { flushAge: 1 })
  await queue.deliver(things(4, i => i < 3 ? 'u' : 'v'))
  t.strictSame(idsOf(sink.calls), [['e0', 'e3'], ['e1'], ['e2']])
})

t.test('one that takes all or none gets those of an owner together', async t => {
  const sink = fakeSink({ atomic: true })
  const queue = queueFor(t, sink, { flushAge: 1 })
  await queue.deliver(things(12, i => i < 11 ? 'u' : 'v'))
  t.strictSame(idsOf(sink.calls).map(({ length }) => length), [10, 1, 1])
})

t.test('one owner who waits does not keep others back', async t => {
  const held = heldCalls()
  const sink = fakeSink({ answer: async (things, signal) => things[0]!.owner === 'slow' ? held.answer(things, signal) : takesAll(things, signal) })
  const queue = queueFor(t, sink, { flushAge: 1 })
  const slow = queue.deliver([parcelOf({ id: 's1', owner: 'slow' }), parcelOf({ id: 's2', owner: 'slow' })])
  await eventually('it is called', () => held.waiting === 1)
  for (const parcel of things(20)) await queue.deliver([parcel])
  t.equal(queue.depth, 2)
  held.release()
  await eventually('the next is called', () => held.waiting === 1)
  held.release()
  t.strictSame(await slow, [undefined, undefined])
})

t.test('no more calls are under way than there may be', async t => {
  const held = heldCalls()
  const sink = fakeSink({ limits: { parcels: 1, bytes: 100, calls: 2 }, answer: held.answer })
  const told = queueFor(t, sink).deliver(things(5))
  for (let i = 0; i < 5; i++) {
    await eventually('all that may are under way', () => held.waiting === Math.min(2, 5 - i))
    held.release()
  }
  await told
  t.equal(sink.mostUnderWay, 2)
})

t.test('what is refused for now is tried again until its time is up', async t => {
  let retried = 0
  const sink = fakeSink({ answer: async things => things.map(() => throttled) })
  const queue = queueFor(t, sink, { flushAge: 1, patience: 150, onRetry (count) { retried += count } })
  const [from] = [performance.now()]
  t.strictSame(await queue.deliver(things(1)), [throttled])
  t.ok(performance.now() - from < 1_000)
  t.ok(retried > 0)
  t.equal(sink.calls.length, retried + 1)
})

t.test('and what is refused for good, or may have been taken, is not', async t => {
  for (const retry of ['never', 'later'] as const) {
    const sink = fakeSink({ answer: async things => things.map(() => ({ reason: 'no', retry })) })
    t.strictSame(await queueFor(t, sink, { flushAge: 1 }).deliver(things(2)), Array(2).fill({ reason: 'no', retry }))
    t.equal(sink.calls.length, 1)
  }
})

t.test('of a call that is refused whole, only what it is refused for is lost', async t => {
  const refused: Failure = { reason: 'bad', retry: 'never', away: false }
  const sink = fakeSink({
    atomic: true,
    async answer (things) {
      if (things.some(({ id }) => id === 'e4')) throw new SinkFailure(refused)
      return things.map(() => undefined)
    }
  })
  const outcomes = await queueFor(t, sink, { flushAge: 1 }).deliver(things(10, i => i % 2 === 0 ? 'u' : 'v'))
  t.match(outcomes.map(outcome => outcome?.reason), Array.from({ length: 10 }, (_, i) => i === 4 ? 'bad' : undefined))
  const delivered = sink.calls.slice(1).flat().filter(({ id }) => id !== 'e4')
  for (const owner of ['u', 'v']) {
    const ids = delivered.filter(thing => thing.owner === owner).map(({ id }) => id)
    t.strictSame(ids, [...ids].sort(), 'in order')
  }
  t.equal(delivered.length, 9)
})

t.test('five calls in a row that find it away, and it is left alone for a second', async t => {
  const clock = turnedClock(t)
  const sink = fakeSink({ limits: { parcels: 1, bytes: 100, calls: 1 }, answer: async () => { throw new SinkFailure(away) } })
  const queue = queueFor(t, sink)
  for (let i = 0; i < 5; i++) t.match(await queue.deliver(things(1)), [{ reason: 'away', cause: { failure: away } }])
  t.match(await queue.deliver(things(3)), Array(3).fill({ reason: 'it does not answer', retry: 'later' }))
  t.equal(sink.calls.length, 5)
  clock.pass(1_000)
  t.match(await queue.deliver(things(3)), [{ reason: 'away' }, { reason: 'it does not answer' }, { reason: 'it does not answer' }], 'then one call asks')
  t.equal(sink.calls.length, 6)
  sink.answer = takesAll
  clock.pass(1_000)
  t.strictSame(await queue.deliver(things(3)), [undefined, undefined, undefined])
  t.equal(queue.depth, 0)
})

t.test('a clock that is stepped back does not keep a target that was away left alone', async t => {
  const clock = turnedClock(t)
  const sink = fakeSink({ limits: { parcels: 1, bytes: 100, calls: 1 }, answer: async () => { throw new SinkFailure(away) } })
  const queue = queueFor(t, sink)
  for (let i = 0; i < 5; i++) await queue.deliver(things(1))
  sink.answer = takesAll
  clock.step(-3_600_000)
  t.match(await queue.deliver(things(1)), [{ reason: 'it does not answer' }])
  clock.pass(1_000)
  t.strictSame(await queue.deliver(things(1)), [undefined])
})

t.test('what it refuses for its rate or its content is no sign that it is away', async t => {
  const sink = fakeSink({ answer: async () => { throw new SinkFailure({ reason: 'no', retry: 'later', away: false }) } })
  const queue = queueFor(t, sink, { flushAge: 0 })
  for (let i = 0; i < 20; i++) t.match(await queue.deliver(things(1)), [{ reason: 'no' }])
  t.equal(sink.calls.length, 20)
})

t.test('a call has its time, from when it begins', async t => {
  const clock = turnedClock(t)
  const timedOut: Failure = { reason: 'took too long', retry: 'later', away: true }
  const sink = fakeSink({
    limits: { parcels: 1, bytes: 100, calls: 2 },
    answer: async (_things, signal) => new Promise((_resolve, reject) => { signal.addEventListener('abort', () => { reject(new Error('aborted')) }) }),
    failureOf: (error, signal) => signal.aborted ? timedOut : (error as SinkFailure).failure
  })
  const queue = queueFor(t, sink, { callTimeout: 50 })
  t.match(await queue.deliver(things(1)), [{ reason: 'took too long' }])

  sink.answer = async () => { throw new SinkFailure(away) }
  for (let i = 0; i < 4; i++) await queue.deliver(things(1))
  clock.pass(1_000)
  const from = performance.now()
  const signals: boolean[] = []
  // The first finds out whether it is there again, and takes more time than it has. The other waits for that.
  sink.answer = async (things, signal) => {
    signals.push(signal.aborted)
    if (things[0]!.id === 'e0') await eventually('its time is over', () => performance.now() - from > 100)
    return [undefined]
  }
  t.strictSame(await queue.deliver(things(2)), [undefined, undefined])
  t.strictSame(signals, [false, false])
})

t.test('what waits too long for its turn is not tried any more', async t => {
  const held = heldCalls()
  const sink = fakeSink({ limits: { parcels: 1, bytes: 100, calls: 1 }, answer: held.answer })
  const queue = queueFor(t, sink, { longestWait: 20 })
  const told = queue.deliver(things(2))
  await eventually('it has waited too long', () => queue.oldest > 25)
  held.release()
  t.match(await told, [undefined, { reason: 'its turn did not come in time', retry: 'later' }])
  t.equal(sink.calls.length, 1)
})

t.test('a mistake in a protocol fails what it was made with, and nothing else', async t => {
  const sink = fakeSink({ answer: async () => { throw new Error('nobody knows this') } })
  const queue = queueFor(t, sink, { flushAge: 0 })
  for (let i = 0; i < 10; i++) t.match(await queue.deliver(things(1)), [{ reason: 'something went wrong on our side', retry: 'later', cause: Error }])
  sink.answer = takesAll
  t.strictSame(await queue.deliver(things(1)), [undefined])
})

t.test('it is full at so many parcels, or so many bytes, and no more when they are done', async t => {
  for (const [most, size] of [[{ parcels: 3, bytes: 1e6 }, 1], [{ parcels: 1e6, bytes: 300 }, 100]] as const) {
    const held = heldCalls()
    const queue = queueFor(t, fakeSink({ answer: held.answer }), { most, flushAge: 0 })
    const deliver = async (id: string) => queue.deliver([parcelOf({ id, size })])
    const told = [deliver('a'), deliver('b')]
    t.notOk(queue.full)
    told.push(deliver('c'))
    t.ok(queue.full)
    await eventually('it is called', () => held.waiting === 1)
    held.release()
    await told[0]
    t.notOk(queue.full)
    for (let i = 0; i < 2; i++) {
      await eventually('it is called', () => held.waiting === 1)
      held.release()
    }
    await Promise.all(told)
  }
})

t.test('its depth and the age of the oldest are true, whether it waits, is under way or is to be tried again', async t => {
  const held = heldCalls()
  const sink = fakeSink({ answer: held.answer })
  const queue = queueFor(t, sink)
  t.strictSame([queue.depth, queue.oldest], [0, 0])
  const told = [queue.deliver(things(2))]
  await eventually('it grows old while it waits', () => queue.oldest > 10)
  t.equal(queue.depth, 2)
  t.equal(sink.calls.length, 0)
  told.push(queue.deliver(things(8, i => `v${i}`)))
  t.equal(sink.calls.length, 1)
  await eventually('and while it is under way', () => queue.oldest > 30)
  t.equal(queue.depth, 10)
  held.release()
  await Promise.all(told)
  t.strictSame([queue.depth, queue.oldest], [0, 0])

  const other = queueFor(t, fakeSink({ answer: async things => things.map(() => throttled) }), { flushAge: 0, random: () => 1, patience: 100 })
  const refused = other.deliver(things(1))
  await eventually('and while it is tried again', () => other.oldest > 50)
  t.strictSame(await refused, [throttled])
  t.strictSame([other.depth, other.oldest], [0, 0])
})

t.test('to drain it waits for nothing, and for all that it holds', async t => {
  let tries = 0
  const sink = fakeSink({ answer: async things => things.map(() => ++tries < 4 ? throttled : undefined) })
  const queue = queueFor(t, sink)
  const told = [queue.deliver(things(1)), queue.deliver(things(2, i => `v${i}`))]
  t.equal(sink.calls.length, 0)
  await queue.drain()
  t.equal(queue.depth, 0)
  t.strictSame(await Promise.all(told), [[undefined], [undefined, undefined]])
  t.strictSame(await queue.deliver(things(1)), [undefined], 'what comes still is sent at once')
  await queue.drain()
})
