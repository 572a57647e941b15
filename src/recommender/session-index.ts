import { fit } from './column.ts'
import { Histories } from './histories.ts'
import { Interactions } from './interactions.ts'
import { defaultLimits, type IndexLimits } from './limits.ts'
import { Popularity } from './popularity.ts'
import { Postings } from './postings.ts'
import { createSlots, type Slots } from './slots.ts'

/** One interaction of a user with an item, the input of the index. */
export interface Interaction {
  /** For a visitor without an account, the session's id. */
  userId: string
  sessionId?: string | undefined
  itemId: string
  /** Weight of the interaction; zero or less is a dislike. */
  weight: number
  /** Epoch milliseconds. */
  time: number
}

/** Without session ids, a gap of this length between two interactions of a user separates histories. */
const sessionGapMs = 30 * 60 * 1000

/**
 * The inverted index of VMIS-kNN (Kersbergen et al., "Serenade", SIGMOD 2022), updated one event at a time: per item its most recent
 * histories, per history its items, per user their interactions, newest first. Events must be applied in order of time.
 */
export class SessionIndex {
  readonly limits: IndexLimits
  readonly items: Slots
  readonly users: Slots
  readonly interactions: Interactions
  readonly histories: Histories
  readonly popularity = new Popularity()
  readonly #now: () => number

  // Columns by item slot.
  readonly #postings: Array<Postings | undefined> = []
  #frequencies = new Uint32Array(1024)
  #bornAt = new Float64Array(1024)
  // Columns by user slot.
  #newestOfUser = new Float64Array(1024)
  #historyOfUser = new Float64Array(1024)
  #lastSeen = new Float64Array(1024)

  /** @param now epoch milliseconds; an interaction from the future counts as of now */
  constructor (now: () => number, limits: Partial<IndexLimits> = {}) {
    this.#now = now
    this.limits = { ...defaultLimits, ...limits }
    this.items = createSlots(this.limits.items, slot => this.#resetItem(slot))
    this.users = createSlots(this.limits.users, slot => this.#resetUser(slot))
    this.interactions = new Interactions(this.limits.interactions)
    this.histories = new Histories(this.limits.histories, this.limits.historyItems)
  }

  apply (event: Interaction): void {
    const time = Math.min(event.time, this.#now())
    const item = this.items.take(event.itemId)
    const user = this.users.take(event.userId)
    const history = this.#historyFor(event, user, time)
    this.#lastSeen[user] = Math.max(time, this.#lastSeen[user]!)
    this.#historyOfUser[user] = history
    this.#record(item, user, history, event.weight)
    if (event.weight > 0) this.popularity.add(item, event.weight, time)
  }

  /** Returns the item's most recent histories, oldest first; undefined if there are none. */
  postings (item: number): Postings | undefined {
    return this.#postings[item]
  }

  /** Returns the number of histories, overlong ones excepted, in which the item was ever met and not disliked. */
  frequency (item: number): number {
    return this.#frequencies[item]!
  }

  /** Returns the user's last history. */
  historyOfUser (user: number): number {
    return this.#historyOfUser[user]!
  }

  /** Yields the items of a user's interactions, newest first, with repetitions; bounded by `lookBack` and `stepsPerItem`. */
  * itemsOfUser (user: number): Generator<readonly [item: number, interaction: number]> {
    const newest = this.#newestOfUser[user]!
    let steps = this.limits.lookBack * this.limits.stepsPerItem
    for (let at = this.interactions.isKept(newest) ? newest : 0; at !== 0 && steps > 0; at = this.interactions.previousOfUser(at), steps--) {
      const item = this.#itemOf(at)
      if (item >= 0) yield [item, at]
    }
  }

  /** Visits the distinct items of a history, newest first, until `visit` returns false; bounded by `historyItems` and `stepsPerItem`. */
  walkHistory (history: number, visit: (item: number, interaction: number) => boolean | void): void {
    const newest = this.histories.newest(history)
    let items = this.limits.historyItems
    let steps = items * this.limits.stepsPerItem
    for (let at = this.interactions.isKept(newest) ? newest : 0; at !== 0 && items > 0 && steps > 0; at = this.interactions.previousInHistory(at), steps--) {
      if (this.interactions.isSuperseded(at)) continue
      items--
      const item = this.#itemOf(at)
      if (item >= 0 && visit(item, at) === false) return
    }
  }

  /** Returns the slot of an interaction's item, or -1 if the slot now belongs to another item. */
  #itemOf (interaction: number): number {
    const item = this.interactions.item(interaction)
    return interaction >= this.#bornAt[item]! ? item : -1
  }

  #historyFor (event: Interaction, user: number, time: number): number {
    if (event.sessionId !== undefined) {
      return this.histories.ofSession(event.sessionId) ?? this.histories.begin(event.sessionId)
    }
    const current = this.#historyOfUser[user]!
    const goesOn = this.histories.isKept(current) && Math.abs(time - this.#lastSeen[user]!) <= sessionGapMs
    return goesOn ? current : this.histories.begin(undefined)
  }

  #record (item: number, user: number, history: number, weight: number): void {
    const { interactions, histories } = this
    const newest = histories.newest(history)
    const earlier = this.#find(item, history)
    const liked = earlier !== 0 && interactions.weight(earlier) > 0
    // A history with a disliked item must not count as similar to histories with that item liked: it gets no posting.
    const isNew = !liked && (earlier === 0 || this.#postings[item]?.has(history) !== true)
    if (weight > 0 && isNew && histories.lengthen(history)) {
      this.#frequencies[item]!++
      ;(this.#postings[item] ??= new Postings()).add(history, this.limits.postings)
    }
    if (liked && weight > 0) weight = Math.max(weight, interactions.weight(earlier))
    if (earlier !== 0 && earlier === newest && earlier === this.#newestOfUser[user]) {
      interactions.setWeight(earlier, weight)
      return
    }
    if (earlier !== 0) interactions.supersede(earlier)
    const number = interactions.append(item, weight, newest, this.#newestOfUser[user]!)
    histories.setNewest(history, number)
    this.#newestOfUser[user] = number
  }

  /** Returns the interaction with an item in a history; 0 if there is none among its recent ones. */
  #find (item: number, history: number): number {
    let found = 0
    this.walkHistory(history, (other, interaction) => {
      if (other === item) found = interaction
      return found === 0
    })
    return found
  }

  #resetItem (slot: number): void {
    this.#frequencies = fit(this.#frequencies, slot + 1)
    this.#bornAt = fit(this.#bornAt, slot + 1)
    this.#frequencies[slot] = 0
    this.#bornAt[slot] = this.interactions.next
    this.#postings[slot] = undefined
    this.popularity.reset(slot)
  }

  #resetUser (slot: number): void {
    this.#newestOfUser = fit(this.#newestOfUser, slot + 1)
    this.#historyOfUser = fit(this.#historyOfUser, slot + 1)
    this.#lastSeen = fit(this.#lastSeen, slot + 1)
    this.#newestOfUser[slot] = 0
    this.#historyOfUser[slot] = 0
    this.#lastSeen[slot] = 0
  }
}
