import type { Parcel, Sink } from './sink.ts'

/** A parcel that waits or is being sent. */
export interface Waiting<T> {
  readonly parcel: Parcel<T>
  /** When it was added, on the clock of `performance`. */
  readonly since: number
  /** Whether it goes alone: a call with others was refused as a whole, and it is not known which parcel was the cause. */
  alone: boolean
}

interface Lane<W> {
  readonly waiting: W[]
  /** The `since` of the first parcel that is out (being sent, or waiting for its retry); undefined if none is, so that more may go. */
  outSince: number | undefined
}

/** The properties of a sink that limit one call. */
type Calls<T> = Pick<Sink<T>, 'limits' | 'groupOf' | 'atomic'>

/**
 * The parcels that wait for a target, in a lane for each owner. No parcel leaves a lane while another one of it is out. So the parcels
 * of one owner arrive in their order, even if some are refused and retried.
 */
export class Lanes<T, W extends Waiting<T> = Waiting<T>> {
  readonly #sink: Calls<T>
  readonly #lanes = new Map<string, Lane<W>>()
  /** The lanes that have parcels waiting and none out, in the order in which they became ready. */
  readonly #ready = new Set<Lane<W>>()
  /** The number of parcels in the ready lanes. */
  readyCount = 0

  constructor (sink: Calls<T>) {
    this.#sink = sink
  }

  add (waiting: W): void {
    const { owner } = waiting.parcel
    let lane = this.#lanes.get(owner)
    if (lane === undefined) {
      this.#lanes.set(owner, lane = { waiting: [], outSince: undefined })
      this.#ready.add(lane)
    }
    lane.waiting.push(waiting)
    if (lane.outSince === undefined) this.readyCount++
  }

  /** Takes out the parcels of the next call; at least one if any is ready. */
  take (): W[] {
    const batch: W[] = []
    let room = this.#sink.limits.bytes
    for (const lane of this.#ready) {
      const count = this.#fitting(lane.waiting, batch, room)
      if (count === 0) break
      this.#ready.delete(lane)
      this.readyCount -= lane.waiting.length
      lane.outSince = lane.waiting[0]!.since
      for (const waiting of lane.waiting.splice(0, count)) {
        batch.push(waiting)
        room -= waiting.parcel.size
      }
    }
    return batch
  }

  /** Returns how many parcels of a lane fit into a call besides its batch. */
  #fitting (waiting: readonly W[], batch: readonly W[], room: number): number {
    const { limits, groupOf, atomic } = this.#sink
    const first = waiting[0]!
    const leader = batch[0] ?? first
    if (leader.alone || first.alone) return leader === first ? 1 : 0
    const most = Math.min(limits.parcels - batch.length, atomic ? Infinity : 1)
    const group = groupOf?.(leader.parcel.value)
    let count = 0
    for (const { parcel, alone } of waiting) {
      if (count >= most || alone || groupOf?.(parcel.value) !== group) break
      // A parcel that is larger than the limit goes by itself, and the target refuses it.
      if (parcel.size > room && batch.length + count > 0) break
      room -= parcel.size
      count++
    }
    return count
  }

  /** Marks parcels as done, so that the parcels behind them may go. @returns whether there are any */
  settle (done: readonly W[]): boolean {
    return done.map(({ parcel: { owner } }) => this.#release(owner)).includes(true)
  }

  /** Puts parcels back to be sent again, before the parcels behind them. */
  putBack (again: readonly W[]): void {
    for (const waiting of again.toReversed()) this.#lanes.get(waiting.parcel.owner)!.waiting.unshift(waiting)
    for (const { parcel: { owner } } of again) this.#release(owner)
  }

  #release (owner: string): boolean {
    const lane = this.#lanes.get(owner)
    if (lane?.outSince === undefined) return false
    lane.outSince = undefined
    if (lane.waiting.length === 0) {
      this.#lanes.delete(owner)
      return false
    }
    this.#ready.add(lane)
    this.readyCount += lane.waiting.length
    return true
  }

  /** How long ago the oldest parcel that waits or is out was added, in ms. */
  get oldest (): number {
    let since = Infinity
    for (const { outSince, waiting } of this.#lanes.values()) since = Math.min(since, outSince ?? waiting[0]!.since)
    return since === Infinity ? 0 : performance.now() - since
  }
}
