import { fit } from './column.ts'

/** With fewer histories, a percentile is meaningless, and no history counts as overlong. */
const enoughToJudge = 1000
const overlongPercentile = 0.995

/** Shared sessions that are remembered, at most; beyond it, the oldest are judged anew. */
const mostShared = 10_000

/** In place of the history of a session that too many users share. */
const shared = -1

/**
 * Histories in a ring, oldest out first, numbered from 1 in the order in which they began. A history is what one user did in a session, or
 * what was done in it without naming a user. The histories of a session are linked, the latest first.
 */
export class Histories {
  readonly limit: number
  next = 1
  #newest = new Float64Array(1024)
  #lengths = new Uint16Array(1024)
  #sessionIds: Array<string | undefined> = []
  #userIds: Array<string | undefined> = []
  /** The latest history of each session, or `shared`. */
  readonly #bySessionId = new Map<string, number>()
  /** The previous history of the same session, for the few that have one. */
  readonly #earlier = new Map<number, number>()
  readonly #shared = new Set<string>()
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

  begin (sessionId: string | undefined, userId?: string): number {
    const number = this.next++
    const at = this.#at(number)
    this.#newest = fit(this.#newest, at + 1)
    this.#lengths = fit(this.#lengths, at + 1)
    this.#forgetSession(at, number - this.limit)
    this.#newest[at] = 0
    this.#lengths[at] = 0
    this.#sessionIds[at] = sessionId
    this.#userIds[at] = userId
    if (sessionId !== undefined) {
      const earlier = this.#bySessionId.get(sessionId)
      if (earlier !== undefined) this.#earlier.set(number, earlier)
      this.#bySessionId.set(sessionId, number)
    }
    if (number % enoughToJudge === 0) this.#longest = this.#percentile()
    return number
  }

  /** Returns the latest history of a session. */
  ofSession (sessionId: string): number | undefined {
    const history = this.#bySessionId.get(sessionId)
    return history === shared ? undefined : history
  }

  /** Returns the history of the same session that began before this one; 0 if none is kept. */
  earlierInSession (number: number): number {
    const earlier = this.#earlier.get(number) ?? 0
    return this.isKept(earlier) ? earlier : 0
  }

  /** Returns the user whose history it is; undefined if its session has named none. */
  userOf (number: number): string | undefined {
    return this.#userIds[this.#at(number)]
  }

  setUser (number: number, userId: string): void {
    this.#userIds[this.#at(number)] = userId
  }

  /** Returns whether too many users share a session. */
  isShared (sessionId: string): boolean {
    return this.#bySessionId.get(sessionId) === shared
  }

  /** Records that too many users share a session, so that it has no histories. */
  share (sessionId: string): void {
    this.#bySessionId.set(sessionId, shared)
    this.#shared.add(sessionId)
    if (this.#shared.size <= mostShared) return
    const [oldest = sessionId] = this.#shared
    this.#shared.delete(oldest)
    this.#bySessionId.delete(oldest)
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

  #forgetSession (at: number, number: number): void {
    const before = this.#sessionIds[at]
    if (before === undefined) return
    this.#earlier.delete(number)
    if (this.#bySessionId.get(before) === number) this.#bySessionId.delete(before)
  }

  #at (number: number): number {
    return number % this.limit
  }
}
