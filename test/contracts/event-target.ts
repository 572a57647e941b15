import t, { type Test } from 'tap'
import { bringerOf, type EventBody } from '../../src/targets/body.ts'
import type { Conversion, UserEvent } from '../../src/targets/event.ts'
import type { EventTarget, Shortfall } from '../../src/targets/target.ts'
import type { Resources } from '../../src/plan/resources.ts'
import { bodiesOf, eventBody, idsOf } from '../support/event-bodies.ts'
import { eventually } from '../support/eventually.ts'
import { openTarget, type OpenTarget } from '../support/open-target.ts'

/** An event that arrived at a target. */
export interface Arrival extends Partial<Omit<UserEvent, 'eventId' | 'idGiven'>> {
  eventId: string
}

/** A misbehaviour of a destination. `throttle`: it refuses three of ten records at random. */
export type Misbehaviour = 'throttle' | 'away' | 'hang'

/** The destination of events, with access to the events that arrived. */
export interface TargetUnderTest {
  config: { type: string, [key: string]: unknown }
  resources?: Partial<Resources>
  /** Returns the arrived events in order of arrival. An event that arrived twice is in the list twice. */
  arrived: () => Promise<Arrival[]> | Arrival[]
  /** The arrived events can be read only after the target is closed. */
  readWhenClosed?: true
  /** Returns all arrived data as text. */
  text: () => Promise<string> | string
  /** Makes the destination misbehave; undefined: behave normally again. */
  misbehave?: (how?: Misbehaviour) => void
  /** Returns the number of received calls; absent for a destination without calls. */
  calls?: () => number
}

export interface EventTargetContract {
  type: string
  start: (t: Test) => Promise<TargetUnderTest>
  /** The misbehaviours that the destination supports. */
  misbehaviours: readonly Misbehaviour[]
  /** Bodies with one event each, and the number of calls that they fit into; absent for a destination without calls. */
  packs?: { bodies: EventBody[], calls: number }
  /** Whether the destination takes whole bodies as records. */
  records?: true
  /** Members of an event that the destination refuses; absent if it refuses none. */
  poison?: Partial<UserEvent>
  skip?: string | undefined
}

/** Limits of a delivery and of a call, in ms, with a margin for a busy machine. */
const patience = 2_000 + 2_000
const callTimeout = 2_000 + 1_500

/** Tests the behaviour that the gateway requires of each event target. */
export function eventTargetContract ({ type, start, misbehaviours, packs, records, poison, skip }: EventTargetContract): void {
  const options = skip === undefined ? {} : { skip }
  /** Registers a test if the target has the tested ability. */
  const testWhere = (can: boolean, name: string, run: (t: Test) => Promise<void>): void => {
    if (can) t.test(name, options, run)
  }

  t.test(`${type} has a body whole, with what it says`, options, async t => {
    const { under, target } = await open(t, start)
    const event = { eventType: 'buy', itemId: 'ä "quoted" \u2028 item', sentAt: 1_700_000_000_123, eventValue: 0.5, properties: '{"a":{"b":"ü"}}', recommendationId: 'r-1', impression: ['x', 'y'] }
    t.equal(await target.deliver(eventBody('user-ß', ['one', 'other'], event)), undefined)
    const arrived = await under.arrived()
    t.strictSame(arrived.map(({ eventId }) => eventId), ['one', 'other'])
    for (const arrival of arrived) t.match(arrival, { userId: 'user-ß', sessionId: 'session-of-user-ß', ...event })
  })

  testWhere(records === true, `${type} has conversions alone, and further members of body and event`, async t => {
    const { under, target } = await open(t, start)
    t.equal(target.takesBodies, true)
    const body = eventBody('user', ['one'], { more: { price: 9.5 } })
    t.equal(await target.deliver({ ...body, events: [], conversions: [{ recommender: 'home', metric: 'clicks', note: 'alone' } as Conversion] }), undefined)
    t.equal(await target.deliver({ ...body, more: { channel: ['app'] } }), undefined)
    const text = (await under.text()).replaceAll('\\', '')
    for (const part of [/"experimentConversions":\[\{"recommender":"home","metric":"clicks","note":"alone"\}\]/, /"channel":\["app"\]/, /"price":9\.5/]) t.match(text, part)
  })

  testWhere(records !== true && type !== 'embedded', `${type} has nothing of further members, which it does not know`, async t => {
    const { under, target } = await open(t, start)
    t.equal(target.takesBodies, undefined)
    t.equal(await target.deliver({ ...eventBody('user', ['one'], { more: { further: 'FURTHER' }, timeGiven: false }), more: { further: 'FURTHER' } }), undefined)
    t.match(await under.text(), 'item-of-one')
    t.notMatch(await under.text(), /FURTHER|timeGiven/)
  })

  t.test(`${type} has the bodies of a user in the order of the calls, each once`, options, async t => {
    const { under, target } = await open(t, start)
    await inOrder(t, under, target)
  })

  testWhere(misbehaviours.includes('throttle'), `${type} has the bodies of a user in the order of the calls, each once, where it refuses three of ten for their rate`, async t => {
    const { under, target } = await open(t, start)
    under.misbehave!('throttle')
    await inOrder(t, under, target)
  })

  testWhere(packs !== undefined, `${type} gets many bodies in few calls`, async t => {
    const { under, target } = await open(t, start)
    const { bodies, calls } = packs!
    const shortfalls = await deliverAll(target, bodies)
    t.strictSame(shortfalls.filter(shortfall => shortfall !== undefined), [])
    sameIds(t, await under.arrived(), idsOf(bodies))
    t.ok(under.calls!() <= calls, `${under.calls!()} calls for ${bodies.length} bodies; expected at most ${calls}`)
  })

  testWhere(poison !== undefined, `${type} has everything but what it refuses, and that is told`, async t => {
    const { under, target } = await open(t, start)
    const bodies = bodiesOf(10, 4).map((body, i) => i % 7 === 3 ? eventBody(body.userId!, [`bad-${i}`], poison) : body)
    const shortfalls = await deliverAll(target, bodies)
    for (const [i, shortfall] of shortfalls.entries()) {
      if (i % 7 === 3) t.match(shortfall, { eventIds: [`bad-${i}`], retryable: false, reason: 'it refuses them' })
      else t.equal(shortfall, undefined)
    }
    sameIds(t, await under.arrived(), idsOf(bodies).filter(id => !id.startsWith('bad')))
  })

  testWhere(misbehaviours.includes('away'), `${type} that is away says so in time, and takes events when it is back`, async t => {
    const { under, target } = await open(t, start)
    t.equal(await target.deliver(eventBody('user', ['before'])), undefined)
    under.misbehave!('away')
    const since = performance.now()
    const bodies = bodiesOf(30, 3)
    for (const [i, shortfall] of (await deliverAll(target, bodies)).entries()) t.match(shortfall, { retryable: true, reason: /./, eventIds: idsOf([bodies[i]!]) })
    t.ok(performance.now() - since < patience, `it took ${performance.now() - since} ms`)

    under.misbehave!()
    let n = 0
    await eventually('it takes events again', async () => await target.deliver(eventBody('user', [`after-${++n}`])) === undefined)
    sameIds(t, await under.arrived(), ['before', `after-${n}`])
  })

  testWhere(misbehaviours.includes('hang'), `${type} that does not answer may have the events, says so in time, and keeps nobody else waiting`, async t => {
    const { under, target } = await open(t, start)
    t.equal(await target.deliver(eventBody('user', ['before'])), undefined)
    const { target: other } = await openTarget(t, { type: 'embedded' })
    under.misbehave!('hang')
    const since = performance.now()
    let told = false
    const telling = target.deliver(eventBody('user', ['one', 'other'])).finally(() => { told = true })
    t.equal(await other.deliver(eventBody('user', ['elsewhere'])), undefined)
    t.notOk(told, 'another has them long before')
    t.match(await telling, { retryable: true, reason: /may have the events/, eventIds: ['one', 'other'] })
    t.ok(performance.now() - since < callTimeout, `it took ${performance.now() - since} ms`)
    under.misbehave!()
  })

  t.test(`${type} has what it was given before it closes`, options, async t => {
    const { under, target, close } = await open(t, start)
    const bodies = bodiesOf(20, 5)
    const delivering = deliverAll(target, bodies)
    await close()
    sameIds(t, await under.arrived(), idsOf(bodies))
    t.strictSame((await delivering).filter(shortfall => shortfall !== undefined), [])
  })

  t.test(`${type} gets nothing to act in the caller's name with`, options, async t => {
    const { under, target } = await open(t, start)
    const headers = { authorization: 'Bearer SECRET', cookie: 'session=SECRET', 'x-api-key': 'SECRET', 'proxy-authorization': 'SECRET' }
    t.equal(await target.deliver({ ...eventBody('user', ['one']), broughtBy: bringerOf('/events/shop', headers, {}) }), undefined)
    t.match(await under.text(), 'item-of-one')
    t.notMatch(await under.text(), 'SECRET')
  })
}

async function open (t: Test, start: EventTargetContract['start']): Promise<OpenTarget & { under: TargetUnderTest }> {
  const under = await start(t)
  const opened = await openTarget(t, under.config, under.resources)
  if (under.readWhenClosed !== true) return { under, ...opened }
  const afterwards = <T>(read: () => Promise<T> | T) => async (): Promise<T> => {
    await opened.close()
    return read()
  }
  return { under: { ...under, arrived: afterwards(under.arrived), text: afterwards(under.text) }, ...opened }
}

async function deliverAll (target: EventTarget, bodies: readonly EventBody[]): Promise<Array<Shortfall | undefined>> {
  return Promise.all(bodies.map(async body => target.deliver(body)))
}

async function inOrder (t: Test, under: TargetUnderTest, target: EventTarget): Promise<void> {
  const bodies = bodiesOf(12, 15)
  const shortfalls = await deliverAll(target, bodies)
  t.strictSame(shortfalls.filter(shortfall => shortfall !== undefined), [])
  const arrived = await under.arrived()
  for (const { userId } of bodies.slice(0, 12)) {
    t.strictSame(arrived.filter(arrival => arrival.userId === userId).map(({ eventId }) => eventId), idsOf(bodies.filter(body => body.userId === userId)))
  }
  t.equal(arrived.length, bodies.length)
}

/** Asserts that each expected event arrived once, in any order. */
function sameIds (t: Test, arrived: readonly Arrival[], expected: readonly string[]): void {
  t.strictSame(arrived.map(({ eventId }) => eventId).sort(), [...expected].sort())
}
