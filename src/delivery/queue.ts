import { BrokenCircuitError, circuitBreaker, ConsecutiveBreaker, handleWhen } from 'cockatiel'
import { steadyPause } from '../base/steady-time.ts'
import { Lanes, type Waiting } from './lanes.ts'
import { createShares } from './shares.ts'
import type { Parcel, Refusal, Sink } from './sink.ts'

export interface QueueOptions {
  /** How long a parcel waits for others that go into the same call, in ms. */
  flushAge?: number
  /** How long a parcel is retried, in ms from its first try. */
  patience?: number
  /** How long a parcel may wait for its first try, in ms. */
  longestWait?: number
  /** How long a call may take, in ms. */
  callTimeout?: number
  /** The numbers of parcels and bytes at which the queue is full. */
  most?: { parcels: number, bytes: number }
  /** The part of the queue that one holder may use, from 0 to 1. */
  share?: number
  /** Receives the number of parcels that are retried. */
  onRetry?: (count: number) => void
  /** Returns a number from 0 to 1, which varies the pauses. */
  random?: () => number
}

/** Delivers parcels to one target: many in a call, those of one owner in order. It retries refused parcels until their time is up. */
export interface DeliveryQueue<T> {
  /** @returns for each parcel the reason why the target does not have it; undefined if it has it */
  deliver: (parcels: ReadonlyArray<Parcel<T>>) => Promise<ReadonlyArray<Refusal | undefined>>
  /** Whether callers should add nothing for now. A caller that adds parcels all the same has to be bounded in another way. */
  readonly full: boolean
  /** Returns whether callers should add nothing of a holder for now, since it uses its share of the queue. */
  isUsedUp: (holder: string) => boolean
  /** The number of parcels that wait or are being sent. */
  readonly depth: number
  /** How long ago the oldest of them was added, in ms. */
  readonly oldest: number
  /** Sends parcels without waiting for more from now on. Resolves when the queue is empty. */
  drain: () => Promise<void>
}

interface Sending<T> extends Waiting<T> {
  /** When it was first tried, on the clock of `performance`. */
  triedSince?: number
  tries: number
  readonly done: (refusal?: Refusal) => void
}

/** The longest pause before the first retry, and before any retry, in ms. The limit doubles with each retry. */
const firstPause = 20
const longestPause = 500

/** After this many failed calls in a row the circuit opens. Then only one call per interval, in ms, probes the target. */
const breaker = { failures: 5, probeInterval: 1_000 }

const away: Refusal = { reason: 'it does not answer', retry: 'later' }
const late: Refusal = { reason: 'its turn did not come in time', retry: 'later' }
const broken: Refusal = { reason: 'something went wrong on our side', retry: 'later' }

export function createDeliveryQueue<T> (sink: Sink<T>, options: QueueOptions = {}): DeliveryQueue<T> {
  const { flushAge = 5, patience = 2_000, longestWait = 20_000, callTimeout = 2_000, most = { parcels: 10_000, bytes: 32 * 1024 * 1024 }, share = 0.1, onRetry = () => {}, random = Math.random } = options
  const lanes = new Lanes<T, Sending<T>>(sink)
  const shares = createShares({ parcels: share * most.parcels, bytes: share * most.bytes })
  const circuit = circuitBreaker(handleWhen(error => error instanceof TargetAway), { breaker: new ConsecutiveBreaker(breaker.failures), halfOpenAfter: steadyPause(breaker.probeInterval) })
  const emptied: Array<() => void> = []
  let [depth, bytes, underWay] = [0, 0, 0]
  let flushing: NodeJS.Timeout | undefined
  // A call costs more than its parcels: while one is running, more parcels can gather for the next. With `groupOf` a call has
  // the parcels of one group only, so that a longer wait gains little.
  const gatherAge = sink.groupOf === undefined ? 3 * flushAge : flushAge
  let gatheringSince = 0
  let draining = false
  let failedAt = -Infinity

  /** Sends if a call is full, and otherwise when the time to wait for more is over. */
  function schedule (): void {
    if (draining || lanes.readyCount >= sink.limits.parcels) return pump()
    if (lanes.readyCount === 0 || flushing !== undefined) return
    gatheringSince = performance.now()
    flushing = setTimeout(flush, flushAge)
  }

  function flush (): void {
    const age = performance.now() - gatheringSince
    if (underWay > 0 && age < gatherAge) flushing = setTimeout(flush, gatherAge - age)
    else pump()
  }

  function pump (): void {
    clearTimeout(flushing)
    flushing = undefined
    while (underWay < sink.limits.calls && lanes.readyCount > 0) void run(lanes.take())
  }

  async function run (batch: Array<Sending<T>>): Promise<void> {
    underWay++
    const refusals = await call(batch)
    underWay--
    const again = batch.filter((waiting, i) => !settle(waiting, refusals[i], batch.length))
    const owners = new Set(again.map(({ parcel }) => parcel.owner))
    const waited = lanes.settle(batch.filter(({ parcel }) => !owners.has(parcel.owner)))
    if (again.length > 0) retry(again)
    // Parcels that were held back behind others of their owner have waited long enough.
    if (waited || underWay === sink.limits.calls - 1 || (flushing !== undefined && performance.now() - gatheringSince >= flushAge)) pump()
    else schedule()
    if (depth === 0) for (const done of emptied.splice(0)) done()
  }

  function retry (again: ReadonlyArray<Sending<T>>): void {
    onRetry(again.length)
    const tries = Math.min(...again.map(({ tries }) => tries))
    const pause = again[0]!.alone && tries === 0 ? 0 : random() * Math.min(firstPause * 2 ** (tries - 1), longestPause)
    setTimeout(() => { lanes.putBack(again); pump() }, pause)
  }

  async function call (batch: ReadonlyArray<Sending<T>>): Promise<ReadonlyArray<Refusal | undefined>> {
    const now = performance.now()
    if (batch.every(({ since, triedSince }) => triedSince === undefined && now - since > longestWait)) return batch.map(() => late)
    for (const waiting of batch) waiting.triedSince ??= now
    try {
      return await circuit.execute(async () => send(batch.map(({ parcel }) => parcel.value)))
    } catch (error) {
      if (error instanceof TargetAway) return batch.map(() => error.refusal)
      if (error instanceof BrokenCircuitError) return batch.map(() => away)
      // A defect in the gateway must not stop the queue.
      return batch.map(() => ({ ...broken, cause: error }))
    }
  }

  async function send (values: readonly T[]): Promise<ReadonlyArray<Refusal | undefined>> {
    const began = performance.now()
    const controller = new AbortController()
    const timer = setTimeout(() => { controller.abort() }, callTimeout)
    try {
      return await sink.send(values, controller.signal)
    } catch (error) {
      const failure = { ...sink.failureOf(error, controller.signal), cause: error, whole: true }
      // Concurrent calls that fail at the same time count as one failure.
      if (!failure.away || began < failedAt) return values.map(() => failure)
      failedAt = performance.now()
      throw new TargetAway(failure)
    } finally {
      clearTimeout(timer)
    }
  }

  /** Decides on a parcel after a call. @returns whether it is finished; if not, it has to be sent again */
  function settle (waiting: Sending<T>, refusal: Refusal | undefined, batchSize: number): boolean {
    const { parcel, triedSince, done } = waiting
    if (refusal?.retry === 'now' && performance.now() + firstPause < triedSince! + patience) {
      waiting.tries++
      return false
    }
    if (refusal?.retry === 'never' && refusal.whole === true && batchSize > 1) {
      waiting.alone = true
      return false
    }
    depth--
    bytes -= parcel.size
    shares.remove(holdersOf(parcel), parcel.size)
    done(refusal)
    return true
  }

  return {
    async deliver (parcels) {
      depth += parcels.length
      bytes += parcels.reduce((sum, { size }) => sum + size, 0)
      for (const parcel of parcels) shares.add(holdersOf(parcel), parcel.size)
      const outcomes = parcels.map(parcel => new Promise<Refusal | undefined>(resolve => {
        lanes.add({ parcel, since: performance.now(), tries: 0, alone: false, done: resolve })
      }))
      schedule()
      return Promise.all(outcomes)
    },
    get full () { return depth >= most.parcels || bytes >= most.bytes },
    isUsedUp: shares.isUsedUp,
    get depth () { return depth },
    get oldest () { return lanes.oldest },
    async drain () {
      draining = true
      pump()
      if (depth > 0) await new Promise<void>(resolve => { emptied.push(resolve) })
    }
  }
}

function holdersOf ({ owner, holders = [owner] }: Parcel<unknown>): readonly string[] {
  return holders
}

class TargetAway extends Error {
  readonly refusal: Refusal

  constructor (refusal: Refusal) {
    super(refusal.reason)
    this.refusal = refusal
  }
}
