import type { NamespacePlan } from '../plan/plan.ts'
import { GatewayError } from '../base/errors.ts'
import { ownerOf, type EventBody } from '../targets/body.ts'
import type { Ledger } from './ledger.ts'
import { createLines } from './lines.ts'
import type { EventStats } from '../targets/stats.ts'
import { deliverTo, type EventTarget, type Shortfall } from '../targets/target.ts'

/** What became of a body: by target, what it does not have of it. Targets that have all are not in it. */
export type Shortfalls = ReadonlyMap<string, Shortfall>

/**
 * Brings bodies to every target of their namespace that does not have them yet. The bodies of one user arrive in their order.
 * @returns what became of each
 * @throws GatewayError 429 where a target takes no more for now; then none was sent anywhere
 */
export type Dispatch = (namespace: NamespacePlan, bodies: readonly EventBody[]) => Promise<readonly Shortfalls[]>

export interface DispatchOptions {
  ledger: Ledger
  stats: EventStats
}

/** An event that is being sent at this moment. */
interface UnderWay {
  readonly sending: Promise<readonly Shortfalls[]>
  /** Which of the bodies that are being sent it is in. */
  readonly index: number
  readonly targets: NamespacePlan['eventTargets']
}

/** An event that is not sent, since it is under way: with another request, or, where that is not known yet, with this one. */
interface Repeat {
  readonly index: number
  readonly eventId: string
  readonly first: UnderWay | undefined
}

export function createDispatch ({ ledger, stats }: DispatchOptions): Dispatch {
  const underWay = new Map<string, UnderWay>()
  const lines = createLines()

  async function send (namespace: NamespacePlan, bodies: readonly EventBody[]): Promise<readonly Shortfalls[]> {
    const targetNames = [...namespace.eventTargets.keys()]
    const place = lines.join(bodies.map(body => keyOf(namespace.name, ownerOf(body))))
    let known = nothingKnown
    let delivering: Promise<readonly Shortfalls[]>
    try {
      const repeatable = bodies.flatMap(({ events }) => events.filter(({ idGiven }) => idGiven).map(({ eventId }) => eventId))
      if (repeatable.length > 0) known = await ledger.recall(namespace.name, repeatable, targetNames)
      // Whoever has less to look up must not overtake.
      await place.turn
      delivering = deliver(namespace, bodies, known)
    } finally {
      place.leave()
    }
    const shortfalls = await delivering
    await ledger.remember(namespace.name, deliveries(bodies, shortfalls, targetNames, known), targetNames)
    return shortfalls
  }

  /** Hands bodies to every target at once. */
  async function deliver ({ name, eventTargets }: NamespacePlan, bodies: readonly EventBody[], known: Known): Promise<readonly Shortfalls[]> {
    const lacking = [...eventTargets].map(([targetName, target]) => ({ targetName, target, bodies: bodies.map(body => lackingOf(body, targetName, known)) }))
    for (const { targetName, target, bodies } of lacking) {
      if (target.full !== true || bodies.every(body => body === undefined)) continue
      stats.of(name, targetName).turnedAway += bodies.reduce((sum, body) => sum + (body?.events.length ?? 0), 0)
      throw new GatewayError('EventQueueFull', `"${targetName}" does not take events as fast as they come; nothing was sent anywhere, send it again later`, { retryAfter: 1 })
    }
    const shortfalls = bodies.map(() => new Map<string, Shortfall>())
    await Promise.all(lacking.flatMap(({ targetName, target, bodies }) => bodies.map(async (body, i) => {
      if (body === undefined) return
      stats.of(name, targetName).accepted += body.events.length
      const shortfall = await deliverTo(target, body)
      if (shortfall !== undefined) shortfalls[i]!.set(targetName, shortfall)
      count(name, targetName, target, body, shortfall)
    })))
    return shortfalls
  }

  function count (namespace: string, targetName: string, target: EventTarget, { events }: EventBody, shortfall: Shortfall | undefined): void {
    const counts = stats.of(namespace, targetName)
    const failed = shortfall?.eventIds.length ?? 0
    counts.failed += failed
    // What is queued counts as delivered when its target has it.
    if (target.accepted !== 'queued') counts.delivered += events.length - failed
  }

  /** Takes out the events that are under way, or come more than once. @returns where those are that are left, too */
  function withoutRepeats (namespace: string, bodies: readonly EventBody[]): { own: EventBody[], mine: ReadonlyMap<string, number>, repeats: Repeat[] } {
    const mine = new Map<string, number>()
    const repeats: Repeat[] = []
    const own = bodies.map((body, index) => {
      const events = body.events.filter(({ eventId, idGiven }) => {
        if (!idGiven) return true
        const key = keyOf(namespace, eventId)
        const first = underWay.get(key)
        const isFirst = first === undefined && !mine.has(key)
        if (isFirst) mine.set(key, index)
        else repeats.push({ index, eventId, first })
        return isFirst
      })
      return events.length === body.events.length ? body : { ...body, events }
    })
    return { own, mine, repeats }
  }

  return async function dispatch (namespace, bodies) {
    const { own, mine, repeats } = withoutRepeats(namespace.name, bodies)
    const sending = send(namespace, own).finally(() => {
      for (const key of mine.keys()) underWay.delete(key)
    })
    for (const [key, index] of mine) underWay.set(key, { sending, index, targets: namespace.eventTargets })
    // Who repeats an event hears what becomes of it.
    const awaited = repeats.map(repeat => ({ ...repeat, first: repeat.first ?? underWay.get(keyOf(namespace.name, repeat.eventId))! }))
    const sendsNone = own.every(({ events }) => events.length === 0)
    const shortfalls = (await sending).map(shortfalls => new Map(shortfalls))
    for (const { index, eventId, first } of awaited) {
      // Where some were sent, it cannot be said that none was, though others were turned away.
      const theirs = sendsNone ? await first.sending : await first.sending.catch(() => undefined)
      for (const target of namespace.eventTargets.keys()) {
        const shortfall = theirs === undefined || !first.targets.has(target) ? notSent : theirs[first.index]!.get(target)
        if (shortfall === notSent || shortfall?.eventIds.includes(eventId) === true) addTo(shortfalls[index]!, target, shortfall, eventId)
      }
    }
    return shortfalls
  }
}

const notSent: Shortfall = { reason: 'the request that brought them first did not send them there', retryable: true, eventIds: [] }

function keyOf (namespace: string, eventId: string): string {
  return `${namespace}\n${eventId}`
}

function addTo (shortfalls: Map<string, Shortfall>, target: string, shortfall: Shortfall, eventId: string): void {
  const { eventIds, retryable, ...more } = shortfalls.get(target) ?? { ...shortfall, eventIds: [] }
  shortfalls.set(target, { ...more, retryable: retryable || shortfall.retryable, eventIds: eventIds.includes(eventId) ? eventIds : [...eventIds, eventId] })
}

/** By event, the targets that are known to have it. */
type Known = ReadonlyMap<string, ReadonlySet<string>>

const nothingKnown: Known = new Map()

/** What a target does not have of a body yet; undefined where that is nothing. */
function lackingOf (body: EventBody, target: string, known: Known): EventBody | undefined {
  const events = known.size === 0 ? body.events : body.events.filter(({ eventId }) => known.get(eventId)?.has(target) !== true)
  // Conversions have no id of their own: they were sent with the events that the target has.
  if (events.length === 0) return undefined
  return events.length === body.events.length ? body : { ...body, events }
}

/** Which targets have which events now: of those that somebody may send again. */
function deliveries (bodies: readonly EventBody[], shortfalls: readonly Shortfalls[], targets: readonly string[], known: Known): Map<string, ReadonlySet<string>> {
  const having = new Map<string, ReadonlySet<string>>()
  for (const [i, { events }] of bodies.entries()) {
    const failed = shortfalls[i]!
    const missing = new Map([...failed].map(([target, { eventIds }]) => [target, new Set(eventIds)]))
    for (const { eventId, idGiven } of events) {
      if (!idGiven && failed.size === 0) continue
      const names = targets.filter(target => missing.get(target)?.has(eventId) !== true)
      if (names.length > (known.get(eventId)?.size ?? 0)) having.set(eventId, new Set(names))
    }
  }
  return having
}
