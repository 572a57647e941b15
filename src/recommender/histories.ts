import { fit } from './column.ts'

/** With fewer histories, a percentile is meaningless, and no history counts as overlong. */
const enoughToJudge = 1000
const overlongPercentile = 0.995

/** Histories (sessions) in a ring, oldest out first, numbered from 1 in the order in which they began. */
export class Histories {
  readonly limit: number
  next = 1
  #newest = new Float64Array(1024)
  #lengths = new Uint16Array(1024)
  #sessionIds: Array<string | undefined> = []
  readonly #bySessionId = new Map<string, number>()
  /** By length: the number of histories with at least so many items. The percentile is computed from it. */
  readonly #reached: Uint32Array
  #longest: number

  constructor (limit: number, mostItems: number) {
    this.limit = limit
    this.#reached = new Uint32Array(mostItems + 1)
    this.#longest = mostItems
  }

  get count (): number {
    return this.next - 1
  }

  begin (sessionId: string | undefined): number {
    const number = this.next++
    const at = this.#at(number)
    this.#newest = fit(this.#newest, at + 1)
    this.#lengths = fit(this.#lengths, at + 1)
    this.#forgetSession(at)
    this.#newest[at] = 0
    this.#lengths[at] = 0
    this.#sessionIds[at] = sessionId
    if (sessionId !== undefined) this.#bySessionId.set(sessionId, number)
    if (number % enoughToJudge === 0) this.#longest = this.#percentile()
    return number
  }

  ofSession (sessionId: string): number | undefined {
    return this.#bySessionId.get(sessionId)
  }

  isKept (number: number): boolean {
    return number > 0 && number >= this.next - this.limit
  }

  /** Returns the number of the history's newest interaction; 0 if there is none. */
  newest (number: number): number {
    return this.#newest[this.#at(number)]!
  }

  setNewest (number: number, interaction: number): void {
    this.#newest[this.#at(number)] = interaction
  }

  /** Counts one more distinct item. @returns false if the history is now overlong, so that it gives no (further) postings */
  lengthen (number: number): boolean {
    const at = this.#at(number)
    const length = this.#lengths[at]! + 1
    if (length >= this.#reached.length) return false
    this.#lengths[at] = length
    this.#reached[length]!++
    return length <= this.#longest
  }

  #percentile (): number {
    const longer = this.#reached[1]! * (1 - overlongPercentile)
    const last = this.#reached.length - 1
    for (let length = 2; length <= last; length++) {
      if (this.#reached[length]! <= longer) return length - 1
    }
    return last
  }

  #forgetSession (at: number): void {
    const before = this.#sessionIds[at]
    if (before !== undefined) this.#bySessionId.delete(before)
  }

  #at (number: number): number {
    return number % this.limit
  }
}
