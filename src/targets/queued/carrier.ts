import { setTimeout } from 'node:timers/promises'
import { ownerOf, type EventBody } from '../body.ts'
import type { TargetStats } from '../stats.ts'
import { deliverTo, type EventTarget, type Shortfall } from '../target.ts'

/** A body to bring to a target. */
export interface Load {
  readonly id: string
  readonly body: EventBody
}

/** Why a body was given up. */
export interface GivenUp {
  readonly id: string
  /** What the target does not have of it. */
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
  /** How often a body is tried while the target takes others. */
  mostTries?: number
  /** Before the second try, and the longest before a further one, each twice as long as the one before, in ms. */
  firstPause?: number
  longestPause?: number
}

/** Brings bodies to a target: those of one owner one after the other, each until the target has it or it is given up. */
export interface Carrier {
  /** Who adds has to bound how many are under way. */
  add: (load: Load) => void
  /** From now on nothing is tried again. Resolves when nothing is under way. */
  finish: () => Promise<void>
  /** From now on nothing more begins. */
  stop: () => void
}

export function createCarrier ({ target, stats, onDelivered, onGivenUp, mostTries = 10, firstPause = 500, longestPause = 10_000 }: CarrierOptions): Carrier {
  const lanes = new Map<string, Load[]>()
  const working = new Set<Promise<void>>()
  const finishing = new AbortController()
  const stopping = new AbortController()
  /** How often the target took something. */
  let taken = 0

  async function work (owner: string, lane: Load[]): Promise<void> {
    for (let load = lane[0]; load !== undefined && !stopping.signal.aborted; load = lane[0]) {
      // What is behind it must not overtake it.
      if (!await carry(load)) return
      lane.shift()
    }
    lanes.delete(owner)
  }

  /** @returns whether it is known what became of it */
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
      // While nothing gets through, that this does not either says nothing about it: it waits until the target is back.
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

  /** @returns whether there is to be another try */
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

/** Conversions have no id: whether the target has them is not known, so they go again. */
function missingOf (body: EventBody, { eventIds }: Shortfall): EventBody {
  if (eventIds.length === body.events.length) return body
  const ids = new Set(eventIds)
  return { ...body, events: body.events.filter(({ eventId }) => ids.has(eventId)) }
}
