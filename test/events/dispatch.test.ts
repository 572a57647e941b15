import t from 'tap'
import { ownedId } from '../../src/base/owned-id.ts'
import { GatewayError } from '../../src/base/errors.ts'
import type { Ledger } from '../../src/events/ledger.ts'
import type { NamespacePlan } from '../../src/plan/plan.ts'
import type { EventBody } from '../../src/targets/body.ts'
import type { EventTarget, Shortfall } from '../../src/targets/target.ts'
import { deadTarget, heldAnswer, recordingTarget, testBody, testDispatch } from '../support/event-targets.ts'
import { eventually } from '../support/eventually.ts'
import { testPlan } from '../support/test-plan.ts'

const shop = (targets: Record<string, EventTarget>): NamespacePlan => testPlan([], targets).namespaces.get('shop')!
const conversions = [{ recommender: 'home', metric: 'm' }]

/** What a target has not taken: of these events, and it may be sent again. */
const shortOf = (...eventIds: string[]): Shortfall => ({ reason: 'no power', retryable: true, eventIds })
const missingOf = (shortfalls: ReadonlyMap<string, Shortfall>): Record<string, readonly string[]> => Object.fromEntries([...shortfalls].map(([name, { eventIds }]) => [name, eventIds]))

/**
 * Makes a ledger wait: a request asks it what is known before it looks at the queue, and others come meanwhile.
 * @returns the functions that let it answer, in the order of the requests
 */
function holdRecall (ledger: Ledger): Array<() => void> {
  const { recall } = ledger
  const asked: Array<() => void> = []
  ledger.recall = async (...args) => {
    await new Promise<void>(resolve => { asked.push(resolve) })
    return recall(...args)
  }
  return asked
}

t.test('every body goes to every target, in the order in which they came', async t => {
  const { dispatch } = testDispatch()
  const [one, other] = [recordingTarget(), recordingTarget()]
  const bodies = [testBody(['a', 'b']), testBody(['c'], { userId: 'v' }), testBody(['d'], { idGiven: false })]
  t.strictSame(await dispatch(shop({ one, other }), bodies), bodies.map(() => new Map()))
  t.strictSame([one.bodies, other.bodies], [bodies, bodies])
})

t.test('what is sent again goes only where it is missing', async t => {
  const { dispatch } = testDispatch()
  const [good, bad] = [recordingTarget(), deadTarget()]
  const body = testBody(['a', 'b'])
  const [first] = await dispatch(shop({ good, bad }), [body])
  t.strictSame(missingOf(first!), { bad: ['a', 'b'] })
  bad.answer = async () => shortOf('b')
  t.strictSame(missingOf((await dispatch(shop({ good, bad }), [body]))[0]!), { bad: ['b'] })
  bad.answer = async () => undefined
  t.equal((await dispatch(shop({ good, bad }), [body]))[0]!.size, 0)
  t.equal((await dispatch(shop({ good, bad }), [body]))[0]!.size, 0)
  t.strictSame(good.eventIds, ['a', 'b'])
  t.strictSame(bad.eventIds, ['a', 'b', 'a', 'b', 'b'])
})

t.test('a target that is new gets what is sent again, and one that was there does not', async t => {
  const { dispatch } = testDispatch()
  const [old, other, fresh] = [recordingTarget(), recordingTarget(), recordingTarget()]
  await dispatch(shop({ old, other }), [testBody(['a'])])
  await dispatch(shop({ old, other, fresh }), [testBody(['a', 'b'])])
  t.strictSame([old.eventIds, other.eventIds, fresh.eventIds], [['a', 'b'], ['a', 'b'], ['a', 'b']])
  await dispatch(shop({ other }), [testBody(['a'])])
  t.strictSame(other.eventIds, ['a', 'b'], 'nor where another is gone')
})

t.test('ids that the gateway made are remembered only where somebody was told to use them again', async t => {
  const { dispatch, ledger } = testDispatch()
  const [good, bad] = [recordingTarget(), recordingTarget()]
  const send = async (eventId: string, idGiven: boolean) => dispatch(shop({ good, bad }), [testBody([eventId], { idGiven })])
  await send('fine', false)
  const idOf = (eventId: string): string => ownedId({ userId: 'u', eventId })
  t.equal((await ledger.recall('shop', [idOf('fine')], ['good', 'bad'])).size, 0)
  bad.answer = async () => shortOf('failed')
  await send('failed', false)
  t.same(await ledger.recall('shop', [idOf('failed')], ['good', 'bad']), new Map([[idOf('failed'), new Set(['good'])]]))
  bad.answer = async () => undefined
  await send('failed', true)
  t.strictSame([good.eventIds, bad.eventIds], [['fine', 'failed'], ['fine', 'failed', 'failed']])
})

t.test('what is sent again while it is under way is sent once, and hears the same', async t => {
  for (const shortfall of [undefined, shortOf('a', 'b')]) {
    const { dispatch } = testDispatch()
    const held = heldAnswer()
    const one = recordingTarget(held.answer)
    const body = testBody(['a', 'b'])
    const told = [dispatch(shop({ one }), [body]), dispatch(shop({ one }), [body]), dispatch(shop({ one }), [testBody(['b'])])]
    await eventually('it is under way', () => one.bodies.length > 0)
    told.push(dispatch(shop({ one }), [body]))
    held.settle(shortfall)
    const missing = (await Promise.all(told)).map(([shortfalls]) => missingOf(shortfalls!))
    const all = shortfall === undefined ? {} : { one: ['a', 'b'] }
    t.strictSame(missing, [all, all, shortfall === undefined ? {} : { one: ['b'] }, all])
    t.strictSame(one.eventIds, ['a', 'b'])
  }
})

t.test('beside what is under way the rest of a body is sent', async t => {
  const { dispatch } = testDispatch()
  const held = heldAnswer()
  const one = recordingTarget(held.answer)
  const first = dispatch(shop({ one }), [testBody(['a'])])
  await eventually('it is under way', () => one.bodies.length > 0)
  one.answer = async () => shortOf('b')
  const second = dispatch(shop({ one }), [testBody(['a', 'b'])])
  await eventually('the rest is sent', () => one.bodies.length > 1)
  held.settle(shortOf('a'))
  t.strictSame(missingOf((await first)[0]!), { one: ['a'] })
  t.strictSame(missingOf((await second)[0]!), { one: ['b', 'a'] })
  t.strictSame(one.eventIds, ['a', 'b'])
})

t.test('an event that comes several times in a body, or in a batch, is sent once', async t => {
  const { dispatch } = testDispatch()
  const one = recordingTarget(async ({ events }) => events.some(({ eventId }) => eventId === 'b') ? shortOf('b') : undefined)
  const shortfalls = await dispatch(shop({ one }), [testBody(['a', 'a', 'b', 'b']), testBody(['a']), testBody(['b', 'c'], { userId: 'v' }), testBody(['b'])])
  t.strictSame(shortfalls.map(missingOf), [{ one: ['b'] }, {}, { one: ['b'] }, { one: ['b'] }])
  t.strictSame(one.eventIds, ['a', 'b', 'b', 'c'], 'v has an event b of its own')
})

t.test('events that the gateway named are never taken for each other', async t => {
  const { dispatch } = testDispatch()
  const one = recordingTarget()
  await dispatch(shop({ one }), [testBody(['same', 'same'], { idGiven: false })])
  t.strictSame(one.eventIds, ['same', 'same'])
})

t.test('namespaces have events of their own', async t => {
  const { dispatch } = testDispatch()
  const [one, other] = [recordingTarget(), recordingTarget()]
  const store = { ...shop({ one: other }), name: 'store' }
  await Promise.all([dispatch(shop({ one }), [testBody(['a'])]), dispatch(store, [testBody(['a'], { namespace: 'store' })])])
  t.strictSame([one.eventIds, other.eventIds], [['a'], ['a']])
})

t.test('where a target is full nothing is sent anywhere, unless it has all of it', async t => {
  const { dispatch, stats } = testDispatch()
  const [good, full] = [recordingTarget(), recordingTarget()]
  await dispatch(shop({ good, full }), [testBody(['known'])])
  full.full = true
  await t.rejects(dispatch(shop({ good, full }), [testBody(['a', 'b']), testBody(['c'])]), { code: 'EventQueueFull', status: 429, retryAfter: 1, message: /^"full"/ })
  t.equal((await dispatch(shop({ good, full }), [testBody(['known'])]))[0]!.size, 0)
  t.strictSame([good.eventIds, full.eventIds], [['known'], ['known']])
  t.match([stats.of('shop', 'full').turnedAway, stats.of('shop', 'good').turnedAway], [3, 0])
  full.full = false
  await dispatch(shop({ good, full }), [testBody(['a', 'b'])])
  t.strictSame([good.eventIds, full.eventIds], [['known', 'a', 'b'], ['known', 'a', 'b']], 'and later it is sent as if nothing had been')
})

t.test('what repeats events that are turned away is turned away, or, where some of it was sent, told which', async t => {
  const { dispatch, ledger } = testDispatch()
  const one = recordingTarget()
  const asked = holdRecall(ledger)
  one.full = true
  const first = dispatch(shop({ one }), [testBody(['a'])])
  const same = dispatch(shop({ one }), [testBody(['a'])])
  const more = dispatch(shop({ one }), [testBody(['a', 'b'])])
  const turnedAway = [t.rejects(first, { code: 'EventQueueFull' }), t.rejects(same, { code: 'EventQueueFull' })]
  asked.shift()!()
  await Promise.all(turnedAway)
  one.full = false
  asked.shift()!()
  t.strictSame(missingOf((await more)[0]!), { one: ['a'] })
  t.strictSame(one.eventIds, ['b'])
})

t.test('a target that what is under way does not go to is not said to have it', async t => {
  const { dispatch } = testDispatch()
  const held = heldAnswer()
  const [old, fresh] = [recordingTarget(held.answer), recordingTarget()]
  const first = dispatch(shop({ old }), [testBody(['a'])])
  const second = dispatch(shop({ old, fresh }), [testBody(['a'])])
  held.settle()
  t.equal((await first)[0]!.size, 0)
  t.strictSame(missingOf((await second)[0]!), { fresh: ['a'] })
  t.equal((await dispatch(shop({ old, fresh }), [testBody(['a'])]))[0]!.size, 0)
  t.strictSame([old.eventIds, fresh.eventIds], [['a'], ['a']])
})

t.test('one dead target neither fails others nor holds them back', async t => {
  const { dispatch, stats } = testDispatch()
  const held = heldAnswer()
  const [good, slow] = [recordingTarget(), recordingTarget(held.answer)]
  const told = dispatch(shop({ slow, good }), [testBody(['a'])])
  await eventually('the other has it', () => good.bodies.length === 1)
  await eventually('and that is counted', () => stats.of('shop', 'good').delivered === 1)
  t.match(stats.of('shop', 'slow'), { accepted: 1, delivered: 0, failed: 0 })
  held.settle(shortOf('a'))
  t.strictSame(missingOf((await told)[0]!), { slow: ['a'] })
  t.match(stats.of('shop', 'slow'), { accepted: 1, delivered: 0, failed: 1 })
})

t.test('a target that throws has nothing, and may be tried again', async t => {
  const { dispatch } = testDispatch()
  const cause = new Error('inside')
  const one = recordingTarget(async () => { throw cause })
  t.strictSame((await dispatch(shop({ one }), [testBody(['a', 'b'])]))[0]!.get('one'), { reason: 'something went wrong on our side', retryable: true, cause, eventIds: ['a', 'b'] })
  one.answer = async () => undefined
  await dispatch(shop({ one }), [testBody(['a', 'b'])])
  t.strictSame(one.eventIds, ['a', 'b', 'a', 'b'])
})

t.test('conversions go with the events of their body, and never by themselves', async t => {
  const { dispatch } = testDispatch()
  const one = recordingTarget()
  const sent = async (...bodies: EventBody[]) => {
    const before = one.bodies.length
    await dispatch(shop({ one }), bodies)
    return one.bodies.slice(before).map(({ events, conversions }) => [events.length, conversions.length])
  }
  t.strictSame(await sent(testBody([], { conversions })), [])
  t.strictSame(await sent(testBody(['a', 'b'], { conversions })), [[2, 1]])
  t.strictSame(await sent(testBody(['a', 'b'], { conversions })), [], 'with events that the target has they were sent')
  t.strictSame(await sent(testBody(['c'], { conversions }), testBody(['c'], { conversions })), [[1, 1]])
})

t.test('nobody overtakes who has more to look up, but for other users', async t => {
  const { dispatch, ledger } = testDispatch()
  const one = recordingTarget()
  const recall = ledger.recall
  let find = (): void => {}
  const found = new Promise<void>(resolve => { find = resolve })
  ledger.recall = async (namespace, ids, targets) => {
    if (ids.includes(ownedId({ userId: 'u', eventId: 'slow' }))) await found
    return recall(namespace, ids, targets)
  }
  const send = async (userId: string, eventId: string, idGiven = true) => dispatch(shop({ one }), [testBody([eventId], { userId, idGiven })])
  const told = [
    dispatch(shop({ one }), [testBody(['slow'], { userId: 'u' }), testBody(['slow-too'], { userId: 'v' })]),
    send('u', 'second'),
    send('u', 'third', false),
    send('v', 'fourth', false)
  ]
  await send('w', 'other')
  await send('w', 'another', false)
  t.strictSame(one.eventIds, ['other', 'another'])
  find()
  await Promise.all(told)
  t.strictSame(one.eventIds.slice(2).sort(), ['fourth', 'second', 'slow', 'slow-too', 'third'])
  t.strictSame(one.events.filter(({ userId }) => userId === 'u').map(({ eventId }) => eventId), ['slow', 'second', 'third'])
  t.strictSame(one.events.filter(({ userId }) => userId === 'v').map(({ eventId }) => eventId), ['slow-too', 'fourth'])
})

t.test('an event that failed is tried again, although the request that brought it waits for others still', async t => {
  const { dispatch } = testDispatch()
  const held = heldAnswer()
  const one = recordingTarget(async body => body.userId === 'slow' ? held.answer() : shortOf('failed'))
  const slow = dispatch(shop({ one }), [testBody(['a'], { userId: 'slow' })])
  const waits = dispatch(shop({ one }), [testBody(['failed', 'a'])])
  await eventually('both are sent', () => one.bodies.length === 2)
  // Its target has told by now what it lacks.
  await new Promise(resolve => { setImmediate(resolve) })
  one.answer = async () => undefined
  t.equal((await dispatch(shop({ one }), [testBody(['failed'])]))[0]!.size, 0)
  held.settle()
  t.equal((await slow)[0]!.size, 0)
  t.strictSame(missingOf((await waits)[0]!), { one: ['failed'] })
})

t.test('nothing of what is over stays behind: an event is known by the ledger alone', async t => {
  let time = 0
  const { dispatch } = testDispatch(() => time)
  const one = recordingTarget()
  await dispatch(shop({ one }), [testBody(['a'])])
  time += 2 * 3600 * 1000
  await dispatch(shop({ one }), [testBody(['other'])])
  await dispatch(shop({ one }), [testBody(['a'])])
  t.strictSame(one.eventIds, ['a', 'other', 'a'])
})

/** The statuses of outcomes: 429 with the target that is named, or 200. */
const statusesOf = (outcomes: ReadonlyArray<GatewayError | ReadonlyMap<string, Shortfall>>): unknown[] => outcomes.map(outcome => outcome instanceof GatewayError ? outcome.status : outcome.size)

t.test('an owner who uses its share of a queue is turned away alone, with all of its bodies', async t => {
  const { dispatch, told, stats } = testDispatch()
  const [good, busy] = [recordingTarget(), recordingTarget()]
  await dispatch(shop({ good, busy }), [testBody(['known'], { userId: 'hot' })])
  busy.isFullFor = ({ userId, sessionId }) => userId === 'hot' && sessionId !== 'calm'
  const bodies = [
    testBody(['a']), testBody(['b', 'c'], { userId: 'hot' }), testBody(['d'], { userId: 'v' }),
    testBody(['e'], { userId: 'hot', sessionId: 'calm' }), testBody(['known'], { userId: 'hot' })
  ]
  const outcomes = await told(shop({ good, busy }), bodies)
  t.strictSame(statusesOf(outcomes), [0, 429, 0, 429, 0], 'one that the targets have is not sent again, so that it is not turned away')
  t.match(outcomes[1], { code: 'EventQueueFull', retryAfter: 1, message: /^"busy" does not take more events of this user or session for now/ })
  t.strictSame([good.eventIds, busy.eventIds], [['known', 'a', 'd'], ['known', 'a', 'd']])
  t.match([stats.of('shop', 'busy').turnedAway, stats.of('shop', 'good').turnedAway], [2, 0])
  await t.rejects(dispatch(shop({ good, busy }), [testBody(['b'], { userId: 'hot' })]), { code: 'EventQueueFull', status: 429, retryAfter: 1 })
  busy.isFullFor = () => false
  await dispatch(shop({ good, busy }), [bodies[1]!])
  t.strictSame([good.eventIds.slice(3), busy.eventIds.slice(3)], [['b', 'c'], ['b', 'c']], 'and later it is sent as if nothing had been')
})

t.test('a request that repeats events of an owner who is turned away is turned away, too', async t => {
  const { told, ledger } = testDispatch()
  const one = recordingTarget()
  const asked = holdRecall(ledger)
  one.isFullFor = ({ userId }) => userId === 'hot'
  const first = told(shop({ one }), [testBody(['a'], { userId: 'hot' })])
  const same = told(shop({ one }), [testBody(['a'], { userId: 'hot' })])
  const more = told(shop({ one }), [testBody(['a', 'b'], { userId: 'v' })])
  asked.shift()!()
  t.strictSame(statusesOf([...await first, ...await same]), [429, 429])
  asked.shift()!()
  t.strictSame(missingOf((await more)[0] as ReadonlyMap<string, Shortfall>), {}, 'another user has an event of the same id')
  t.strictSame(one.eventIds, ['a', 'b'])
})

t.test('conversions alone go to targets of whole bodies, and those of repeated events do not', async t => {
  const { dispatch } = testDispatch()
  const [records, other] = [Object.assign(recordingTarget(), { takesBodies: true as const }), recordingTarget()]
  await dispatch(shop({ records, other }), [testBody([], { conversions }), testBody(['a'])])
  t.strictSame(records.bodies.map(({ events, conversions }) => [events.length, conversions.length]), [[0, 1], [1, 0]])
  t.strictSame(other.eventIds, ['a'])
  t.equal(other.bodies.length, 1)
  await dispatch(shop({ records, other }), [testBody(['a'], { conversions })])
  await dispatch(shop({ records, other }), [testBody(['b', 'b'], { conversions }), testBody(['b'], { conversions })])
  t.strictSame(records.bodies.slice(2).map(({ events, conversions }) => [events.length, conversions.length]), [[1, 1]])
})
