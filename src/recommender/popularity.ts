import { fit } from './column.ts'

/** Time after which an interaction counts half as much. */
const halfLifeMs = 7 * 24 * 3600 * 1000

/**
 * Time-decayed popularity, with a list of the most popular items that is always in order.
 * All items decay at the same rate, so the order changes only when one gains. Each item stores the base-2 logarithm of
 * Σ weight · 2^(time / half-life), which needs no re-scaling, and neither overflows nor underflows over decades.
 */
export class Popularity {
  readonly #listed: number
  #logs = new Float64Array(1024).fill(-Infinity)
  #ranks = new Int32Array(1024).fill(-1)
  readonly #ranking: number[] = []

  /** @param listed the number of most popular items that are kept in order */
  constructor (listed = 2000) {
    this.#listed = listed
  }

  /** The most popular items' slots, best first. */
  get ranking (): readonly number[] {
    return this.#ranking
  }

  /** Returns the logarithm of an item's popularity, comparable between items; -Infinity without an interaction. */
  log (item: number): number {
    return this.#logs[item] ?? -Infinity
  }

  /** Returns the item's popularity as a share of the most popular item's, 0 to 1. */
  share (item: number): number {
    const best = this.#ranking[0]
    return best === undefined ? 0 : 2 ** (this.log(item) - this.log(best))
  }

  reset (item: number): void {
    if (item >= this.#logs.length) this.#grow(item + 1)
    this.#logs[item] = -Infinity
    const rank = this.#ranks[item]!
    if (rank < 0) return
    this.#ranks[item] = -1
    this.#ranking.splice(rank, 1)
    for (let r = rank; r < this.#ranking.length; r++) this.#ranks[this.#ranking[r]!] = r
    const next = this.#bestUnlisted()
    if (next >= 0) this.#climb(next)
  }

  /** @param weight above 0 @param time epoch milliseconds */
  add (item: number, weight: number, time: number): void {
    const gain = Math.log2(weight) + time / halfLifeMs
    const before = this.#logs[item]!
    const high = Math.max(before, gain)
    this.#logs[item] = high + Math.log2(1 + 2 ** (Math.min(before, gain) - high))
    this.#climb(item)
  }

  #bestUnlisted (): number {
    let best = -1
    for (let item = 0; item < this.#logs.length; item++) {
      if (this.#ranks[item]! < 0 && this.#logs[item]! > (this.#logs[best] ?? -Infinity)) best = item
    }
    return best
  }

  #climb (item: number): void {
    const ranking = this.#ranking
    const log = this.#logs[item]!
    let rank = this.#ranks[item]!
    if (rank < 0) {
      if (ranking.length === this.#listed) {
        if (log <= this.#logs[ranking.at(-1)!]!) return
        this.#ranks[ranking.pop()!] = -1
      }
      rank = ranking.length
      ranking.push(item)
    }
    while (rank > 0 && this.#logs[ranking[rank - 1]!]! < log) {
      ranking[rank] = ranking[rank - 1]!
      this.#ranks[ranking[rank]!] = rank
      rank--
    }
    ranking[rank] = item
    this.#ranks[item] = rank
  }

  #grow (length: number): void {
    const from = this.#logs.length
    this.#logs = fit(this.#logs, length).fill(-Infinity, from)
    this.#ranks = fit(this.#ranks, length).fill(-1, from)
  }
}
