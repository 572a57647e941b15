import { setTimeout as sleep } from 'node:timers/promises'
import { within } from '../base/deadline.ts'

export interface ReportQueueOptions<T> {
  /** The most items of a call. */
  perCall: number
  /**
   * Makes a call.
   * @returns the items that the system did not take
   * @throws any error if it took none
   */
  send: (items: readonly T[], signal: AbortSignal) => Promise<readonly T[]>
  /** Receives the items that the system will not be told. */
  onDropped: (items: readonly T[], cause?: unknown) => void
  limits?: Partial<typeof defaultLimits>
}

/** A queue in front of a system that is told something later. */
export interface ReportQueue<T> {
  /** Adds an item, or drops it if too many wait. It does not wait. */
  add: (item: T) => void
  /** Sends what waits, and drops what the system has not taken after some time. Items that come later are dropped. */
  close: () => Promise<void>
}

const defaultLimits = {
  /** The most items that wait. */
  waiting: 10_000,
  /** The most calls under way. */
  calls: 4,
  /** The time in which items gather for one call, in ms. */
  gather: 100,
  /** The time limit of a call, in ms. */
  patience: 2_000,
  /** The time before a failed call is repeated, in ms. */
  pause: 200,
  /** The time that closing takes at most, in ms. */
  closing: 3_000
}

/** Creates a queue. A call that fails is repeated once, with the items that are left; the rest is dropped. */
export function createReportQueue<T> ({ perCall, send, onDropped, limits }: ReportQueueOptions<T>): ReportQueue<T> {
  const { waiting: mostWaiting, calls, gather, patience, pause, closing } = { ...defaultLimits, ...limits }
  const waiting: T[] = []
  const lanes = new Set<Promise<void>>()
  const hurry = new AbortController()
  const ended = new AbortController()

  function add (item: T): void {
    if (hurry.signal.aborted || waiting.length >= mostWaiting) return onDropped([item])
    waiting.push(item)
    // Another call begins whenever there is enough for a full one.
    if (lanes.size > 0 && (lanes.size >= calls || waiting.length % perCall !== 0)) return
    const lane = work().finally(() => { lanes.delete(lane) })
    lanes.add(lane)
  }

  async function work (): Promise<void> {
    await sleep(gather, undefined, { signal: hurry.signal }).catch(() => {})
    while (waiting.length > 0) await deliver(waiting.splice(0, perCall))
  }

  async function deliver (items: readonly T[]): Promise<void> {
    const first = await attempt(items)
    if (first.left.length === 0) return
    await sleep(pause, undefined, { signal: ended.signal }).catch(() => {})
    const { left, cause } = await attempt(first.left)
    if (left.length > 0) onDropped(left, cause)
  }

  async function attempt (items: readonly T[]): Promise<{ left: readonly T[], cause?: unknown }> {
    if (ended.signal.aborted) return { left: items }
    try {
      return { left: await within(patience, async ({ abortSignal }) => send(items, abortSignal), ended.signal) }
    } catch (cause) {
      return { left: items, cause }
    }
  }

  return {
    add,
    async close () {
      hurry.abort()
      const timer = setTimeout(() => { ended.abort() }, closing)
      await Promise.all(lanes)
      clearTimeout(timer)
    }
  }
}
