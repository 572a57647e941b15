import type { Parcel, Sink } from './sink.ts'

/** A parcel on its way. */
export interface Waiting<T> {
  readonly parcel: Parcel<T>
  /** When it came, on the clock of `performance`. */
  readonly since: number
  /** It goes alone, since a call with others was refused and it is not known for whose sake. */
  alone: boolean
}

interface Lane<W> {
  readonly waiting: W[]
  /** Since when that is under way, or waits to be tried again, which was taken out; undefined: nothing is, and more may go. */
  outSince: number | undefined
}

/** What goes into one call. */
type Calls<T> = Pick<Sink<T>, 'limits' | 'groupOf' | 'atomic'>

/**
 * What waits for a target, in a lane for each owner. Nothing leaves a lane while something of it is under way: so what is of one owner
 * arrives in its order, whatever is refused on the way.
 */
export class Lanes<T, W extends Waiting<T> = Waiting<T>> {
  readonly #sink: Calls<T>
  readonly #lanes = new Map<string, Lane<W>>()
  /** Those that have nothing out and hold something, in the order in which they came to be so. */
  readonly #ready = new Set<Lane<W>>()
  /** Parcels in them. */
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

  /** Takes out what goes into the next call; at least one where any is ready. */
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

  /** How many of a lane go into a call beside those that are in it. */
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
      // What is larger than a call may be goes by itself, and the target says so.
      if (parcel.size > room && batch.length + count > 0) break
      room -= parcel.size
      count++
    }
    return count
  }

  /** These are done with: what is behind them may go. @returns whether there is any */
  settle (done: readonly W[]): boolean {
    return done.map(({ parcel: { owner } }) => this.#release(owner)).includes(true)
  }

  /** These go again, before what is behind them. */
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

  /** How long that has waited which came first of what waits or is out, in ms. */
  get oldest (): number {
    let since = Infinity
    for (const { outSince, waiting } of this.#lanes.values()) since = Math.min(since, outSince ?? waiting[0]!.since)
    return since === Infinity ? 0 : performance.now() - since
  }
}
