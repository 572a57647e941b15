import type { NamespacePlan } from '../plan/plan.ts'
import { GatewayError } from '../base/errors.ts'
import { ownedId } from '../base/owned-id.ts'
import { beginTurns } from '../base/turns.ts'
import { ownerOf, type EventBody } from '../targets/body.ts'
import type { Ledger } from './ledger.ts'
import { createLines } from './lines.ts'
import type { EventStats } from '../targets/stats.ts'
import { deliverTo, isFor, type EventTarget, type Shortfall } from '../targets/target.ts'
import { itemOf } from '../targets/item-of.ts'

/** The outcome of a body: by target, the events that the target does not have. Targets that have all events are not in the map. */
export type Shortfalls = ReadonlyMap<string, Shortfall>

/** The outcome of a body, or the error 429 if its owner uses the share of a target's queue; then the body was sent nowhere. */
export type Outcome = Shortfalls | GatewayError

/**
 * Delivers bodies to every target of their namespace that does not have them yet. The bodies of one user arrive in their order.
 * @returns the outcome of each body
 * @throws GatewayError 429 if the queue of a target is full; then nothing was sent anywhere
 */
export type Dispatch = (namespace: NamespacePlan, bodies: readonly EventBody[]) => Promise<readonly Outcome[]>

export interface DispatchOptions {
  ledger: Ledger
  stats: EventStats
}

/** An outcome while targets answer. */
type Growing = Map<string, Shortfall> | GatewayError

/** An event that a request is sending. */
interface UnderWay {
  readonly sending: Promise<readonly Outcome[]>
  /** The index of its body among the bodies of that request. */
  readonly index: number
  readonly targets: NamespacePlan['eventTargets']
}

/** An event that is not sent again, since `first` is on its way with another request, or with this one if `first` is undefined. */
interface Repeat {
  readonly index: number
  /** Its key among the events under way. */
  readonly key: string
  readonly eventId: string
  readonly first: UnderWay | undefined
}

export function createDispatch ({ ledger, stats }: DispatchOptions): Dispatch {
  const underWay = new Map<string, UnderWay>()
  const lines = createLines()

  /** @param repeatable the ids of the events that a caller may send again (see `ownedId`) */
  async function send (namespace: NamespacePlan, bodies: readonly EventBody[], repeatable: readonly string[]): Promise<readonly Outcome[]> {
    const targetNames = [...namespace.eventTargets.keys()]
    const place = lines.join(bodies.map(body => keyOf(namespace.name, ownerOf(body))))
    let known = nothingKnown
    let delivering: ReadonlyArray<Promise<void>>
    const outcomes = bodies.map((): Growing => new Map<string, Shortfall>())
    try {
      if (repeatable.length > 0) known = await ledger.recall(namespace.name, repeatable, targetNames)
      // A request with less to look up must not overtake an earlier one of the same user.
      await place.turn
      delivering = await deliver(namespace, bodies, known, outcomes)
    } finally {
      place.leave()
    }
    await Promise.all(delivering)
    await ledger.remember(namespace.name, await deliveries(bodies, outcomes, targetNames, known), targetNames)
    return outcomes
  }

  /**
   * Begins to deliver bodies to every target. Resolves when each target was given each body, in their order.
   * @param outcomes receives the outcome of each body; those of owners who use their share of a queue are refused
   * @returns the deliveries, which end with the outcome
   */
  async function deliver ({ name, eventTargets }: NamespacePlan, bodies: readonly EventBody[], known: Known, outcomes: Growing[]): Promise<Array<Promise<void>>> {
    const turn = beginTurns()
    const lacking: Array<{ targetName: string, target: EventTarget, bodies: Array<EventBody | undefined> }> = []
    for (const [targetName, target] of eventTargets) {
      const lackingBodies: Array<EventBody | undefined> = []
      for (const body of bodies) {
        if (turn.over) await turn.next()
        lackingBodies.push(lackingOf(body, targetName, target, known))
      }
      lacking.push({ targetName, target, bodies: lackingBodies })
    }
    for (const { targetName, target, bodies } of lacking) {
      if (target.full !== true || bodies.every(body => body === undefined)) continue
      stats.of(name, targetName).turnedAway += bodies.reduce((sum, body) => sum + (body?.events.length ?? 0), 0)
      throw turnedAway(targetName, 'events for now: its queue is full; nothing was sent anywhere')
    }
    countWithoutItem(name, bodies, known)
    const refused = refusedOwners(name, lacking)
    const deliveries: Array<Promise<void>> = []
    for (const [i, whole] of bodies.entries()) {
      const refusal = refused.get(ownerOf(whole))
      for (const { targetName, target, bodies } of lacking) {
        if (turn.over) await turn.next()
        const body = bodies[i]
        const outcome = outcomes[i]!
        if (body === undefined) continue
        if (refusal !== undefined) outcomes[i] = refusal
        else if (!(outcome instanceof GatewayError)) deliveries.push(deliverOne(name, targetName, target, body, outcome))
      }
    }
    return deliveries
  }

  async function deliverOne (namespace: string, targetName: string, target: EventTarget, body: EventBody, shortfalls: Map<string, Shortfall>): Promise<void> {
    stats.of(namespace, targetName).accepted += body.events.length
    const shortfall = await deliverTo(target, body)
    if (shortfall !== undefined) shortfalls.set(targetName, shortfall)
    count(namespace, targetName, target, body, shortfall)
  }

  /** Returns the owners who use their share of a target's queue, each with the error. All of their bodies wait, so that none is overtaken. */
  function refusedOwners (namespace: string, lacking: ReadonlyArray<{ targetName: string, target: EventTarget, bodies: ReadonlyArray<EventBody | undefined> }>): ReadonlyMap<string, GatewayError> {
    const refused = new Map<string, GatewayError>()
    for (const { targetName, target, bodies } of lacking) {
      for (const body of bodies) {
        if (body === undefined || target.isFullFor?.(body) !== true) continue
        stats.of(namespace, targetName).turnedAway += body.events.length
        refused.set(ownerOf(body), turnedAway(targetName, 'events of this user or session for now: they use their share of its queue; nothing of them was sent anywhere'))
      }
    }
    return refused
  }

  function countWithoutItem (namespace: string, bodies: readonly EventBody[], known: Known): void {
    let events = 0
    for (const body of bodies) {
      for (const event of body.events) if (itemOf(event) === undefined && !known.has(ownedId(event))) events++
    }
    if (events > 0) stats.withoutItem.set(namespace, (stats.withoutItem.get(namespace) ?? 0) + events)
  }

  function count (namespace: string, targetName: string, target: EventTarget, { events }: EventBody, shortfall: Shortfall | undefined): void {
    const counts = stats.of(namespace, targetName)
    const failed = shortfall?.eventIds.length ?? 0
    counts.failed += failed
    // Queued events count as delivered later, when the target has them.
    if (target.accepted !== 'queued') counts.delivered += events.length - failed
  }

  /** Removes events that another request is sending, and repeated ones. @returns also the ids of the events with a given id that are left, and the body's index by their keys */
  function withoutRepeats (namespace: string, bodies: readonly EventBody[]): { own: EventBody[], ids: string[], mine: ReadonlyMap<string, number>, repeats: Repeat[] } {
    const ids: string[] = []
    const mine = new Map<string, number>()
    const repeats: Repeat[] = []
    const own = bodies.map((body, index) => {
      const events = body.events.filter(event => {
        if (!event.idGiven) return true
        const id = ownedId(event)
        const key = keyOf(namespace, id)
        const first = underWay.get(key)
        const isFirst = first === undefined && !mine.has(key)
        if (isFirst) ids.push(id)
        if (isFirst) mine.set(key, index)
        else repeats.push({ index, key, eventId: event.eventId, first })
        return isFirst
      })
      if (events.length === body.events.length) return body
      return { ...body, events, conversions: events.length === 0 ? [] : body.conversions }
    })
    return { own, ids, mine, repeats }
  }

  return async function dispatch (namespace, bodies) {
    const { own, ids, mine, repeats } = withoutRepeats(namespace.name, bodies)
    const sending = send(namespace, own, ids).finally(() => {
      for (const key of mine.keys()) underWay.delete(key)
    })
    for (const [key, index] of mine) underWay.set(key, { sending, index, targets: namespace.eventTargets })
    // A request that repeats an event gets the outcome of the first one.
    const awaited = repeats.map(repeat => ({ ...repeat, first: repeat.first ?? underWay.get(repeat.key)! }))
    const sendsNone = own.every(({ events, conversions }) => events.length === 0 && conversions.length === 0)
    const outcomes = (await sending).map(outcome => outcome instanceof GatewayError ? outcome : new Map(outcome))
    for (const { index, eventId, first } of awaited) {
      // The 429 of another request says that nothing was sent. It must not be the answer to a request that has sent some events.
      const theirs = (sendsNone ? await first.sending : await first.sending.catch(() => undefined))?.[first.index]
      const mine = outcomes[index]!
      if (mine instanceof GatewayError) continue
      if (theirs instanceof GatewayError && own[index]!.events.length === 0) {
        outcomes[index] = theirs
        continue
      }
      for (const target of namespace.eventTargets.keys()) {
        const shortfall = theirs === undefined || theirs instanceof GatewayError || !first.targets.has(target) ? notSent : theirs.get(target)
        if (shortfall === notSent || shortfall?.eventIds.includes(eventId) === true) addTo(mine, target, shortfall, eventId)
      }
    }
    return outcomes
  }
}

function turnedAway (target: string, cause: string): GatewayError {
  return new GatewayError('EventQueueFull', `"${target}" does not take more ${cause}, send the events again later`, { retryAfter: 1 })
}

const notSent: Shortfall = { reason: 'the first request with these events did not send them to this target', retryable: true, eventIds: [] }

function keyOf (namespace: string, id: string): string {
  return `${namespace}\n${id}`
}

function addTo (shortfalls: Map<string, Shortfall>, target: string, shortfall: Shortfall, eventId: string): void {
  const { eventIds, retryable, ...more } = shortfalls.get(target) ?? { ...shortfall, eventIds: [] }
  shortfalls.set(target, { ...more, retryable: retryable || shortfall.retryable, eventIds: eventIds.includes(eventId) ? eventIds : [...eventIds, eventId] })
}

/** By the id of an event and its owner (see `ownedId`), the targets that are known to have the event. */
type Known = ReadonlyMap<string, ReadonlySet<string>>

const nothingKnown: Known = new Map()

/** Returns the part of a body that a target does not have yet; undefined if it has everything. */
function lackingOf (body: EventBody, targetName: string, target: EventTarget, known: Known): EventBody | undefined {
  if (body.events.length === 0) return isFor(target, body) ? body : undefined
  const events = known.size === 0 ? body.events : body.events.filter(event => known.get(ownedId(event))?.has(targetName) !== true)
  // Conversions have no id of their own: they were sent with the events that the target has.
  if (events.length === 0) return undefined
  return events.length === body.events.length ? body : { ...body, events }
}

/** Returns by `ownedId` the targets that have the event now, for the events that a caller may send again. */
async function deliveries (bodies: readonly EventBody[], outcomes: readonly Outcome[], targets: readonly string[], known: Known): Promise<Map<string, ReadonlySet<string>>> {
  const having = new Map<string, ReadonlySet<string>>()
  const all = new Set(targets)
  const turn = beginTurns()
  for (const [i, { events }] of bodies.entries()) {
    const failed = outcomes[i]!
    if (failed instanceof GatewayError) continue
    if (turn.over) await turn.next()
    const missing = new Map([...failed].map(([target, { eventIds }]) => [target, new Set(eventIds)]))
    for (const event of events) {
      if (!event.idGiven && failed.size === 0) continue
      const id = ownedId(event)
      const names = failed.size === 0 ? all : new Set(targets.filter(target => missing.get(target)?.has(event.eventId) !== true))
      if (names.size > (known.get(id)?.size ?? 0)) having.set(id, names)
    }
  }
  return having
}
