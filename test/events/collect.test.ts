import t from 'tap'
import { createUserVersions } from '../../src/cache/user-versions.ts'
import type { Plan } from '../../src/plan/plan.ts'
import { GatewayError } from '../../src/base/errors.ts'
import { anonymous } from '../../src/security/access.ts'
import { collectEvents } from '../../src/events/collect.ts'
import type { EventsBody } from '../../src/targets/event.ts'
import type { EventTarget } from '../../src/targets/target.ts'
import { deadTarget, recordingTarget, testDispatch } from '../support/event-targets.ts'
import { testSurroundings } from '../support/surroundings.ts'
import { testExperiment, testPlan, testRecommender } from '../support/test-plan.ts'

const planOf = (eventTargets: Record<string, EventTarget> = {}): Plan =>
  testPlan([testRecommender('recommend-items', 'home', { experiments: new Map([testExperiment('test')]) }), testRecommender('related-items', 'similar')], eventTargets)

let ids = 0
const options = {
  principal: anonymous,
  now: () => 5_000_000,
  newId: () => `new-${++ids}`,
  userVersions: createUserVersions(),
  surroundings: testSurroundings(),
  broughtBy: { path: '/events/shop', headers: {}, query: {} }
}
const collectAll = async (plan: Plan, body: EventsBody, namespace = 'shop') => collectEvents(plan, namespace, body, { ...options, ...testDispatch(), credit: async () => 'counted' })
const collect = async (...args: Parameters<typeof collectAll>) => (await collectAll(...args)).targets
const view = { eventType: 'view', itemId: 'a' }

async function refusal (plan: Plan, body: EventsBody, namespace?: string): Promise<GatewayError> {
  const error: unknown = await collect(plan, body, namespace).then(() => undefined, (error: unknown) => error)
  if (error instanceof GatewayError) return error
  throw new Error('was not refused', { cause: error })
}

t.test('every target gets every event, with the same defaults', async t => {
  const [one, other] = [recordingTarget(), recordingTarget()]
  const outcomes = await collect(planOf({ one, other }), { userId: 'u', sessionId: 's', eventList: [view, { ...view, eventId: 'mine', sentAt: 100 }] })
  t.strictSame(outcomes, { one: 'delivered', other: 'delivered' })
  t.match(one.bodies, [{ namespace: 'shop', userId: 'u', sessionId: 's', conversions: [], broughtBy: { path: '/events/shop' } }])
  t.match(one.events, [{ userId: 'u', sessionId: 's', itemId: 'a', eventType: 'view', sentAt: 5_000_000, eventId: /^new-/ }, { eventId: 'mine', sentAt: 100_000 }])
  t.strictSame(other.bodies, one.bodies)
})

t.test('what an event says arrives', async t => {
  const one = recordingTarget()
  await collect(planOf({ one }), { userId: 'u', eventList: [{ eventType: 'buy', eventValue: 0, recommendationId: 'r', impression: ['x'], sentAt: '1970-01-01T00:00:01Z' }] })
  t.match(one.events, [{ eventType: 'buy', eventValue: 0, recommendationId: 'r', impression: ['x'], sentAt: 1000 }])
})

t.test('a target that fails is named, and the others have the events', async t => {
  const [good, bad] = [recordingTarget(), deadTarget()]
  const error = await refusal(planOf({ bad, good }), { userId: 'u', eventList: [{ ...view, eventId: 'e1' }, view] })
  t.match(error, { code: 'EventsNotDelivered', status: 503, retryAfter: 1, details: { targets: { good: 'delivered', bad: 'failed: no power' } } })
  t.match(error.details, { eventIds: good.eventIds, missing: { bad: good.eventIds } }, 'so that they can be sent again')
  t.match((error.cause as AggregateError).errors, [{ message: 'no power' }])
  t.match(good.eventIds, ['e1', /^new-/])
})

t.test('a target that throws at once is a target that fails', async t => {
  const target: EventTarget = { deliver: () => { throw new Error('at once') } }
  t.match(await refusal(planOf({ hasty: target }), { userId: 'u', eventList: [view] }), { code: 'EventsNotDelivered', details: { targets: { hasty: 'failed: something went wrong on our side' } } })
})

t.test('where trying again is no use, that is said', async t => {
  const refused = await refusal(planOf({ one: deadTarget('it refuses them', false), good: recordingTarget() }), { userId: 'u', eventList: [view] })
  t.match(refused, { code: 'EventsRefused', status: 502, retryAfter: undefined, details: { targets: { good: 'delivered', one: 'failed: it refuses them' } } })
  t.match(await refusal(planOf({ one: deadTarget('it refuses them', false), other: deadTarget() }), { userId: 'u', eventList: [view] }), { code: 'EventsNotDelivered' }, 'it is of use for the other')
})

t.test('a target that takes no more for now turns all away', async t => {
  const [good, full] = [recordingTarget(), recordingTarget()]
  full.full = true
  t.match(await refusal(planOf({ good, full }), { userId: 'u', eventList: [view] }), { code: 'EventQueueFull', status: 429, retryAfter: 1, message: /^"full" does not take/ })
  t.strictSame([good.bodies, full.bodies], [[], []])
})

t.test('what went wrong inside a target is not told to the caller', async t => {
  const one = recordingTarget(async () => { throw new Error('ENOENT /data/secret') })
  const error = await refusal(planOf({ one }), { userId: 'u', eventList: [view] })
  t.match(JSON.stringify(error.details), /"one":"failed/)
  t.notMatch(JSON.stringify(error.details), /secret/)
  t.match((error.cause as AggregateError).errors, [{ message: /secret/ }], 'the log has it')
})

t.test('events make what was made for their user out of date, also where a target fails', async t => {
  const userVersions = createUserVersions()
  const isCurrent = (userId: string, madeAt: number): boolean => userVersions.isCurrent(userVersions.slotOf({ namespace: 'shop', userId }), madeAt)
  const collect = async (one: EventTarget) => collectEvents(planOf({ one }), 'shop', { userId: 'u', eventList: [view] }, { ...options, ...testDispatch(), userVersions })
  await collect(recordingTarget())
  const first = userVersions.now
  t.notOk(isCurrent('u', 0))
  t.ok(isCurrent('u', first), 'what is made from now on is not')
  t.ok(isCurrent('other', 0))
  await t.rejects(collect(deadTarget()))
  t.notOk(isCurrent('u', first), 'some target may have them')
})

t.test('properties are a JSON object or the text of one', async t => {
  const one = recordingTarget()
  const properties = async (properties: string | Record<string, unknown>) => collect(planOf({ one }), { userId: 'u', eventList: [{ ...view, properties }] })
  for (const [given, expected] of [[{ a: 1 }, '{"a":1}'], ['{"a": 1}', '{"a": 1}'], ['', undefined], [{}, '{}']] as const) {
    await properties(given)
    t.equal(one.events.at(-1)!.properties, expected)
  }
  await properties({ a: 'x'.repeat(1024 - 8) })
  t.equal(one.events.at(-1)!.properties!.length, 1024)
  for (const wrong of ['[]', '1', 'null', 'text', '{', { a: 'x'.repeat(1024 - 7) }]) {
    await t.rejects(properties(wrong), { code: 'InvalidBody', status: 400, message: /^body\/eventList\/0\/properties: expected/ })
  }
})

t.test('a bad time is refused where it is', async t => {
  const one = recordingTarget()
  const error = await refusal(planOf({ one }), { userId: 'u', eventList: [view, { ...view, sentAt: 'soon' }] })
  t.match(error, { code: 'InvalidBody', message: /^body\/eventList\/1\/sentAt: expected/ })
  t.equal(one.bodies.length, 0, 'and nothing goes anywhere')
})

t.test('somebody must have done it: a user, or a session', async t => {
  const one = recordingTarget()
  t.match(await refusal(planOf({ one }), { eventList: [view] }), { code: 'InvalidBody', message: /^body\/userId: is missing/ })
  await collect(planOf({ one }), { sessionId: 's', eventList: [view] })
  t.match(one.events, [{ sessionId: 's', userId: undefined }])
})

t.test('a body must say something', async t => {
  t.match(await refusal(planOf({ one: recordingTarget() }), { userId: 'u' }), { code: 'InvalidBody', message: /^body: expected eventList, experimentConversions or both/ })
})

t.test('conversions name what the configuration has, and need a user', async t => {
  const plan = planOf({ one: recordingTarget() })
  const convert = (conversion: object): EventsBody => ({ userId: 'u', experimentConversions: [{ recommender: 'home', metric: 'm', ...conversion }] })
  for (const conversion of [{}, { feature: 'test' }, { recommender: 'similar' }, { value: 3 }]) t.strictSame(await collect(plan, convert(conversion)), {})
  t.match(await refusal(plan, convert({ recommender: 'nothing' })), { code: 'InvalidBody', message: /^body\/experimentConversions\/0\/recommender: "nothing"/ })
  t.match(await refusal(plan, convert({ feature: 'nothing' })), { code: 'InvalidBody', message: /^body\/experimentConversions\/0\/feature: "nothing"/ })
  t.match(await refusal(plan, convert({ recommender: 'similar', feature: 'test' })), { code: 'InvalidBody' })
  t.match(await refusal(plan, { sessionId: 's', experimentConversions: [{ recommender: 'home', metric: 'm' }] }), { code: 'InvalidBody', message: /^body\/userId/ })
})

t.test('a conversion counts what its experiment measures, where that says what it measures', async t => {
  const clicks = { metrics: { clicks: { event: 'click' } } }
  const plan = testPlan([testRecommender('recommend-items', 'home', { experiments: new Map([testExperiment('test', clicks), testExperiment('open')]) }), testRecommender('recommend-items', 'strict', { experiments: new Map([testExperiment('test', clicks)]) })], { one: recordingTarget() })
  const convert = (recommender: string, conversion: object): EventsBody => ({ userId: 'u', experimentConversions: [{ recommender, metric: 'clicks', ...conversion }] })
  for (const conversion of [{}, { feature: 'test' }, { feature: 'open', metric: 'anything' }, { metric: 'anything' }]) t.ok(await collect(plan, convert('home', conversion)))
  for (const [recommender, conversion] of [['home', { feature: 'test', metric: 'sales' }], ['strict', { metric: 'sales' }]] as const) {
    t.match(await refusal(plan, convert(recommender, conversion)), { code: 'InvalidBody', message: /^body\/experimentConversions\/0\/metric: "sales" is not a metric of/ })
  }
})

t.test('a wrong conversion does not refuse the events and the conversions beside it', async t => {
  const one = recordingTarget()
  const right = { recommender: 'home', metric: 'm' }
  const body = (...experimentConversions: unknown[]): EventsBody => ({ userId: 'u', eventList: [view], experimentConversions })
  const conversions = 'counted'
  t.strictSame(await collectAll(planOf({ one }), body(right)), { targets: { one: 'delivered' }, conversions })
  const wrong: Array<[conversion: unknown, message: RegExp]> = [
    [{ recommender: 'nothing', metric: 'm' }, /^body\/experimentConversions\/1\/recommender: "nothing"/],
    [{ recommender: 'home', feature: 'nothing', metric: 'm' }, /^body\/experimentConversions\/1\/feature: "nothing"/],
    [{ recommender: 'home' }, /^body\/experimentConversions\/1\/metric: is missing/],
    [{ metric: 'm' }, /^body\/experimentConversions\/1\/recommender: is missing/],
    [{ recommender: 'home', metric: 5 }, /^body\/experimentConversions\/1\/metric: expected a string/],
    [{ recommender: 'home', metric: 'm', value: 'much' }, /^body\/experimentConversions\/1\/value: expected a number/],
    ['home', /^body\/experimentConversions\/1: expected an object/],
    [null, /^body\/experimentConversions\/1: expected an object/]
  ]
  for (const [conversion, message] of wrong) {
    t.match(await collectAll(planOf({ one }), body(right, conversion, right)), { targets: { one: 'delivered' }, conversions, refusedConversions: [{ index: 1, message }] })
    t.match(one.bodies.at(-1), { events: [{ itemId: 'a' }], conversions: [right, right] })
  }
  t.strictSame(await collectAll(planOf({ one }), { sessionId: 's', eventList: [view], experimentConversions: [right] }),
    { targets: { one: 'delivered' }, refusedConversions: [{ index: 0, message: 'body/userId: is missing; a conversion needs it' }] })
  t.strictSame(await collectAll(planOf({ one }), { userId: 'u', experimentConversions: [right, { recommender: 'home' }] }),
    { targets: {}, conversions, refusedConversions: [{ index: 1, message: 'body/experimentConversions/1/metric: is missing; expected a string of 1 to 128 characters' }] })
})

t.test('a conversion may leave out its metric where the experiment has one', async t => {
  const [clicks, sales] = [{ clicks: { event: 'click' } }, { sales: { event: 'sale' } }]
  const one = testExperiment('one', { metrics: clicks })
  const target = Object.assign(recordingTarget(), { takesBodies: true as const })
  const plan = testPlan([
    testRecommender('recommend-items', 'home', { experiments: new Map([one, testExperiment('two', { metrics: { ...clicks, ...sales } })]) }),
    testRecommender('recommend-items', 'single', { experiments: new Map([one]) }),
    testRecommender('related-items', 'none')
  ], { target })
  const convert = (recommender: string, feature?: string): EventsBody => ({ userId: 'u', experimentConversions: [{ recommender, ...(feature === undefined ? {} : { feature }) }] })
  for (const [recommender, feature] of [['home', 'one'], ['single', 'one'], ['single', undefined]] as const) {
    await collect(plan, convert(recommender, feature))
    t.strictSame(target.bodies.at(-1)!.conversions, [{ recommender, ...(feature === undefined ? {} : { feature }), metric: 'clicks' }])
  }
  t.match(await refusal(plan, convert('home', 'two')), { code: 'InvalidBody', message: 'body/experimentConversions/0/metric: is missing; expected one of ["clicks","sales"], the metrics of "two" of "home"' })
  t.match(await refusal(plan, convert('home')), { code: 'InvalidBody', message: /expected one of \["clicks","sales"\], the metrics of an experiment of "home"$/ })
  t.match(await refusal(plan, convert('none')), { code: 'InvalidBody', message: /metric: is missing; expected a string of 1 to 128 characters$/ })
})

t.test('conversions alone go to the targets that take whole bodies, and to no others', async t => {
  const [records, other] = [Object.assign(recordingTarget(), { takesBodies: true as const }), recordingTarget()]
  const conversion = { recommender: 'home', metric: 'm', value: 3, note: 'further' }
  for (const eventList of [undefined, []]) {
    const body = { userId: 'u', experimentConversions: [conversion], ...(eventList && { eventList }) }
    t.strictSame(await collect(planOf({ records, other }), body), { records: 'delivered' })
    t.match(records.bodies.at(-1), { userId: 'u', events: [], conversions: [conversion] })
  }
  t.strictSame([records.bodies.length, other.bodies.length], [2, 0])
  records.answer = async body => ({ reason: 'no power', retryable: true, eventIds: body.events.map(({ eventId }) => eventId) })
  t.match(await refusal(planOf({ records, other }), { userId: 'u', experimentConversions: [conversion] }), { code: 'EventsNotDelivered', details: { targets: { records: 'failed: no power' } } })
})

t.test('empty lists count as none', async t => {
  const one = recordingTarget()
  t.strictSame(await collectAll(planOf({ one }), { userId: 'u', eventList: [view], experimentConversions: [] }), { targets: { one: 'delivered' } })
  t.match(await refusal(planOf({ one }), { userId: 'u', eventList: [] }), { code: 'InvalidBody', message: 'body/eventList: expected a list of 1 to 500 items' })
  t.match(await refusal(planOf({ one }), { userId: 'u', eventList: [], experimentConversions: [] }), { code: 'InvalidBody', message: 'body/eventList: expected a list of 1 to 500 items' })
  t.match(await refusal(planOf({ one }), { userId: 'u', experimentConversions: [] }), { code: 'InvalidBody', message: 'body/experimentConversions: expected a list of 1 to 500 items' })
})

t.test('further members of body and event are carried, and a trackingId is dropped', async t => {
  const one = recordingTarget()
  const given = { trackingId: 'theirs', userId: 'u', sessionId: 's', channel: { name: 'app' }, more: 1, eventList: [{ ...view, price: 9.5, idGiven: 'theirs', userId: 'nested' }, view] }
  await collect(planOf({ one }), given)
  t.strictSame(one.bodies[0]!.more, { channel: { name: 'app' }, more: 1 })
  t.match(one.events[0], { userId: 'u', idGiven: false, more: { price: 9.5, idGiven: 'theirs', userId: 'nested' } })
  t.notOk('more' in one.events[1]!)
  t.notMatch(JSON.stringify(one.bodies), /trackingId/)
})

t.test('a namespace without targets takes no events, an unknown one is not found', async t => {
  t.match(await refusal(planOf(), { userId: 'u', eventList: [view] }), { code: 'NoEventTargets', status: 409 })
  t.match(await refusal(planOf(), { userId: 'u', eventList: [view] }, 'nowhere'), { code: 'NamespaceNotFound', status: 404 })
})
