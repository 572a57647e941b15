import { setTimeout } from 'node:timers/promises'
import { ownerOf, type EventBody } from '../body.ts'
import type { TargetStats } from '../stats.ts'
import { deliverTo, type EventTarget, type Shortfall } from '../target.ts'

/** A body to deliver to a target. */
export interface Load {
  readonly id: string
  readonly body: EventBody
}

/** A body that the carrier gave up, and the reason. */
export interface GivenUp {
  readonly id: string
  /** The part of the body that the target does not have. */
  readonly body: EventBody
  readonly reason: string
  readonly tries: number
  readonly cause?: unknown
}

export interface CarrierOptions {
  target: EventTarget
  stats: Pick<TargetStats, 'delivered' | 'retried'>
  onDelivered: (id: string) => void
  onGivenUp: (load: GivenUp) => void
  /** The most tries of a body while the target takes others. */
  mostTries?: number
  /** The pause before the second try, and the longest pause, in ms. Each pause is twice as long as the one before. */
  firstPause?: number
  longestPause?: number
}

/** Delivers bodies to a target. It delivers the bodies of one owner in order, and retries each until the target has it or it gives up. */
export interface Carrier {
  /** Adds a body. The caller has to bound how many are under way. */
  add: (load: Load) => void
  /** Ends the retries. Resolves when no delivery is under way. */
  finish: () => Promise<void>
  /** Prevents the start of further deliveries. */
  stop: () => void
}

export function createCarrier ({ target, stats, onDelivered, onGivenUp, mostTries = 10, firstPause = 500, longestPause = 10_000 }: CarrierOptions): Carrier {
  const lanes = new Map<string, Load[]>()
  const working = new Set<Promise<void>>()
  const finishing = new AbortController()
  const stopping = new AbortController()
  /** The number of deliveries of which the target took at least a part. */
  let taken = 0

  async function work (owner: string, lane: Load[]): Promise<void> {
    for (let load = lane[0]; load !== undefined && !stopping.signal.aborted; load = lane[0]) {
      // The bodies behind this one must not overtake it.
      if (!await carry(load)) return
      lane.shift()
    }
    lanes.delete(owner)
  }

  /** Delivers one body. @returns whether its outcome is known */
  async function carry ({ id, body }: Load): Promise<boolean> {
    let missing = body
    let counted = 0
    let takenBefore = -1
    for (let tries = 1; ; tries++) {
      const shortfall = await deliverTo(target, missing)
      const arrived = missing.events.length - (shortfall?.eventIds.length ?? 0)
      stats.delivered += arrived
      if (shortfall === undefined || arrived > 0) taken++
      if (shortfall === undefined) {
        onDelivered(id)
        return true
      }
      missing = missingOf(missing, shortfall)
      // While the target takes nothing at all, a failure says nothing about this body. The try does not count, and the body waits.
      if (taken !== takenBefore) counted++
      takenBefore = taken
      if (!shortfall.retryable || counted >= mostTries) {
        onGivenUp({ id, body: missing, reason: shortfall.reason, tries, cause: shortfall.cause })
        return true
      }
      if (!await pauseBefore(tries)) return false
      stats.retried += missing.events.length
    }
  }

  /** Waits before the next try. @returns whether to try again */
  async function pauseBefore (tries: number): Promise<boolean> {
    const pause = Math.min(firstPause * 2 ** (tries - 1), longestPause)
    return setTimeout(pause, true, { signal: finishing.signal }).catch(() => false)
  }

  return {
    add (load) {
      const owner = ownerOf(load.body)
      const lane = lanes.get(owner)
      if (lane !== undefined) {
        lane.push(load)
        return
      }
      const opened = [load]
      lanes.set(owner, opened)
      const done = work(owner, opened)
      working.add(done)
      void done.finally(() => { working.delete(done) })
    },
    async finish () {
      finishing.abort()
      while (working.size > 0) await Promise.all(working)
    },
    stop () { stopping.abort() }
  }
}

/** Returns the part of a body that the target does not have. It contains all conversions, as conversions have no ids. */
function missingOf (body: EventBody, { eventIds }: Shortfall): EventBody {
  if (eventIds.length === body.events.length) return body
  const ids = new Set(eventIds)
  return { ...body, events: body.events.filter(({ eventId }) => ids.has(eventId)) }
}
