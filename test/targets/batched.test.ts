import t, { type Test } from 'tap'
import { openBatched } from '../../src/targets/batched.ts'
import { createHolder } from '../../src/connections/scope.ts'
import type { EventBody } from '../../src/targets/body.ts'
import { testBody } from '../support/event-targets.ts'
import { eventually } from '../support/eventually.ts'
import { fakeSink, heldCalls, type FakeSink } from '../support/fake-sink.ts'
import { testResources } from '../support/test-resources.ts'

/** A configuration that names a target; another may name it, too. */
function configurations (t: Test) {
  const resources = testResources(t.testdir())
  t.teardown(resources.close)
  return {
    resources,
    open: async (sink: FakeSink, config: object = {}) => {
      const { scopeOf, release } = createHolder(resources)
      return { target: await openBatched({ ...scopeOf('shop'), target: 'fake' }, config, sink), release }
    }
  }
}

t.test('a target is told to have a body once it has each parcel of it', async t => {
  const { open } = configurations(t)
  const { target } = await open(fakeSink())
  t.equal(await target.deliver(testBody(['a', 'b', 'c'])), undefined)
  t.equal(await target.deliver(testBody([])), undefined)
})

t.test('else it is said what is missing, why, and whether to send it again', async t => {
  const { open } = configurations(t)
  const cause = new Error('inside')
  const sink = fakeSink({
    answer: async things => things.map(({ id }) => id === 'a' ? undefined : { reason: `no ${id}`, retry: id === 'b' ? 'never' : 'later', cause })
  })
  const { target } = await open(sink)
  t.strictSame(await target.deliver(testBody(['a', 'b', 'c'])), { reason: 'no b', cause, retryable: true, eventIds: ['b', 'c'] })
  t.strictSame(await target.deliver(testBody(['a', 'b'])), { reason: 'no b', cause, retryable: false, eventIds: ['b'] })
})

t.test('configurations that name a target alike share what waits for it, others do not', async t => {
  const { open, resources } = configurations(t)
  const held = heldCalls()
  const [one, same, other] = [fakeSink({ answer: held.answer }), fakeSink(), fakeSink()]
  const { target: first, release } = await open(one, { stream: 1 })
  const { target: second } = await open(same, { stream: 1 })
  const { target: third } = await open(other, { stream: 2 })
  const told = [first.deliver(testBody(['a'])), second.deliver(testBody(['b']))]
  await third.deliver(testBody(['c']))
  const { queues } = resources.eventStats.of('shop', 'fake')
  t.strictSame([...queues].map(({ depth }) => depth), [2, 0])
  release()
  for (let i = 0; i < 2; i++) {
    await eventually('the queue is called', () => held.waiting === 1)
    held.release()
  }
  t.strictSame(await Promise.all(told), [undefined, undefined])
  t.strictSame(one.calls.flat().map(({ id }) => id), ['a', 'b'])
  t.equal(same.calls.length, 0)
})

t.test('it is full when its queue is, and what waits is sent before it is closed', async t => {
  const { open, resources } = configurations(t)
  const sink = fakeSink({ limits: { parcels: 20_000, bytes: 1e9, calls: 1 }, atomic: true })
  const { target } = await open(sink)
  const told = target.deliver(testBody(Array.from({ length: 9_999 }, (_, i) => `e${i}`)))
  t.equal(target.full, false)
  const last = target.deliver(testBody(['last']))
  t.equal(target.full, true)
  await resources.close()
  t.strictSame(await Promise.all([told, last]), [undefined, undefined])
  t.equal(sink.calls.flat().length, 10_000)
  t.equal(resources.eventStats.of('shop', 'fake').queues.size, 0)
})

t.test('the bodies of a user, or of a partition key, use a share of the queue, and those of others do not', async t => {
  const { open } = configurations(t)
  const held = heldCalls()
  const sink = { ...fakeSink({ answer: held.answer }), holdersOf: ({ userId, sessionId }: EventBody) => [`owner ${userId}`, `key ${sessionId}`] }
  const { target } = await open(sink)
  const body = (userId: string, sessionId: string, count = 1): EventBody => testBody(Array.from({ length: count }, (_, i) => `${userId}-${i}`), { userId, sessionId })
  const told = Promise.all([target.deliver(body('hot', 'key', 999)), target.deliver(body('u', 'key'))])
  const isFull = (userId: string, sessionId: string): boolean => target.isFullFor!(body(userId, sessionId))
  t.strictSame([isFull('hot', 'other'), isFull('u', 'other'), isFull('v', 'key'), isFull('v', 'other'), target.full], [false, false, true, false, false])
  let isDone = false
  void told.then(() => { isDone = true })
  await eventually('nothing waits', () => {
    if (held.waiting > 0) held.release()
    return isDone
  }, 30_000)
})
