import { mergeChains, splitChain } from './chains.ts'
import { fit } from './column.ts'
import { Histories } from './histories.ts'
import { Interactions } from './interactions.ts'
import { defaultLimits, type IndexLimits } from './limits.ts'
import { Popularity } from './popularity.ts'
import { Postings } from './postings.ts'
import { historyInSession, type SessionChanges } from './sessions.ts'
import { createSlots, type Slots } from './slots.ts'

/** One interaction of a user with an item, the input of the index. */
export interface Interaction {
  /** For an event that names no user, the session's id. */
  userId: string
  sessionId?: string | undefined
  itemId: string
  /** Weight of the interaction; zero or less is a dislike. */
  weight: number
  /** Epoch milliseconds. */
  time: number
}

/** In place of a visitor's newest interaction, after a user has taken over the visitor's session: the visitor reads the session's history. */
const joined = -1

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
  /** See `apply`. */
  #affected: string | undefined

  readonly #changes: SessionChanges = {
    onJoin: (history, sessionId, userId) => { this.#join(history, sessionId, userId) },
    onShare: sessionId => { this.#withdraw(sessionId) }
  }

  /** @param now epoch milliseconds; an interaction from the future counts as of now */
  constructor (now: () => number, limits: Partial<IndexLimits> = {}) {
    this.#now = now
    this.limits = { ...defaultLimits, ...limits }
    this.items = createSlots(this.limits.items, slot => this.#resetItem(slot))
    this.users = createSlots(this.limits.users, slot => this.#resetUser(slot))
    this.interactions = new Interactions(this.limits.interactions)
    this.histories = new Histories(this.limits.histories, this.limits.historyItems)
  }

  /** @returns the user, besides the one that the event names, whose interactions it changes; undefined if there is none */
  apply (event: Interaction): string | undefined {
    const time = Math.min(event.time, this.#now())
    const item = this.items.take(event.itemId)
    if (event.weight > 0) this.popularity.add(item, event.weight, time)
    this.#affected = undefined
    if (event.userId === event.sessionId) this.#applyAnonymous(event.sessionId, item, event.weight, time)
    else this.#applyNamed(event, item, time)
    return this.#affected
  }

  #applyNamed ({ userId, sessionId, weight }: Interaction, item: number, time: number): void {
    const user = this.users.take(userId)
    // Histories keep this text. The event's own would be another one of the same content for each event.
    const known = this.users.id(user)
    let history = sessionId === undefined ? 0 : historyInSession(this.histories, sessionId, known, this.#changes)
    if (history === 0) history = this.#currentHistory(user, time)
    this.#record(item, user, history, weight, time, false)
  }

  /** Applies an event of a visitor whom only the session's id identifies. */
  #applyAnonymous (sessionId: string, item: number, weight: number, time: number): void {
    const history = historyInSession(this.histories, sessionId, undefined, this.#changes)
    if (history === 0) return
    const visitor = this.users.take(sessionId)
    const userId = this.histories.userOf(history)
    if (userId === undefined) {
      this.#record(item, visitor, history, weight, time, true)
      return
    }
    this.#affected = userId
    const newest = this.#newestOf(visitor)
    if (newest === 0 || this.interactions.isAnonymous(newest)) this.#newestOfUser[visitor] = joined
    this.#historyOfUser[visitor] = history
    this.#record(item, this.users.take(userId), history, weight, time, true)
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
    const { interactions } = this
    const isJoined = this.#newestOfUser[user] === joined
    const newest = isJoined ? this.#newestIn(this.#historyOfUser[user]!) : this.#newestOf(user)
    let steps = this.#mostSteps
    for (let at = newest; at !== 0 && steps > 0; at = isJoined ? interactions.previousInHistory(at) : interactions.previousOfUser(at), steps--) {
      if (interactions.isWithdrawn(at)) continue
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
      if (this.interactions.isSuperseded(at) || this.interactions.isWithdrawn(at)) continue
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

  /** Returns the history that the user's last interaction belongs to, or a new one after a gap. */
  #currentHistory (user: number, time: number): number {
    const current = this.#historyOfUser[user]!
    const goesOn = this.histories.isKept(current) && Math.abs(time - this.#lastSeen[user]!) <= sessionGapMs
    return goesOn ? current : this.histories.begin(undefined)
  }

  #record (item: number, user: number, history: number, weight: number, time: number, anonymous: boolean): void {
    const { interactions, histories } = this
    this.#lastSeen[user] = Math.max(time, this.#lastSeen[user]!)
    this.#historyOfUser[user] = history
    const newest = histories.newest(history)
    const newestOfUser = this.#newestOf(user)
    const earlier = this.#find(item, history)
    const liked = earlier !== 0 && interactions.weight(earlier) > 0
    // A history with a disliked item must not count as similar to histories with that item liked: it gets no posting.
    const isNew = !liked && (earlier === 0 || this.#postings[item]?.has(history) !== true)
    if (weight > 0 && isNew && histories.lengthen(history)) {
      this.#frequencies[item]!++
      ;(this.#postings[item] ??= new Postings()).add(history, this.limits.postings)
    }
    if (liked && weight > 0) weight = Math.max(weight, interactions.weight(earlier))
    if (earlier !== 0 && earlier === newest && earlier === newestOfUser && interactions.isAnonymous(earlier) === anonymous) {
      interactions.setWeight(earlier, weight)
      return
    }
    if (earlier !== 0) interactions.supersede(earlier)
    const number = interactions.append(item, weight, newest, newestOfUser, anonymous)
    histories.setNewest(history, number)
    this.#newestOfUser[user] = number
  }

  /** Makes the interactions of a visitor those of a user. From then on, the visitor reads the history of the session, which both share. */
  #join (history: number, sessionId: string, userId: string): void {
    const { interactions } = this
    const user = this.users.take(userId)
    const visitor = this.users.get(sessionId)
    // A user may have the session's id as his own; his interactions stay with him.
    const newest = visitor === undefined ? this.#newestIn(history) : this.#newestOf(visitor)
    const [anonymous, own] = splitChain(interactions, newest, at => interactions.isAnonymous(at), this.#mostSteps)
    this.#newestOfUser[user] = mergeChains(interactions, this.#newestOf(user), anonymous, this.#mostSteps)
    if (visitor !== undefined) this.#newestOfUser[visitor] = own === 0 || interactions.isAnonymous(own) ? joined : own
  }

  /** Withdraws what was done in a session without naming a user: nobody knows whose it was. What users did stays theirs. */
  #withdraw (sessionId: string): void {
    const { histories, interactions } = this
    for (let history = histories.ofSession(sessionId) ?? 0; history !== 0; history = histories.earlierInSession(history)) {
      let withdrawn = 0
      let steps = this.#mostSteps
      for (let at = this.#newestIn(history); at !== 0 && steps > 0; at = interactions.previousInHistory(at), steps--) {
        if (!interactions.isAnonymous(at)) continue
        interactions.withdraw(at)
        withdrawn++
      }
      const userId = histories.userOf(history)
      const user = withdrawn === 0 || userId === undefined ? undefined : this.users.get(userId)
      if (user === undefined) continue
      this.#dropWithdrawn(user)
      this.#affected = userId
    }
    const visitor = this.users.get(sessionId)
    if (visitor === undefined) return
    this.#dropWithdrawn(visitor)
    this.#historyOfUser[visitor] = 0
  }

  #dropWithdrawn (user: number): void {
    const { interactions } = this
    this.#newestOfUser[user] = splitChain(interactions, this.#newestOf(user), at => interactions.isWithdrawn(at), 2 * this.#mostSteps)[1]
  }

  get #mostSteps (): number {
    return this.limits.lookBack * this.limits.stepsPerItem
  }

  /** Returns the newest interaction of a user's own chain; 0 if there is none. */
  #newestOf (user: number): number {
    const newest = this.#newestOfUser[user]!
    return newest > 0 && this.interactions.isKept(newest) ? newest : 0
  }

  #newestIn (history: number): number {
    const newest = this.histories.isKept(history) ? this.histories.newest(history) : 0
    return this.interactions.isKept(newest) ? newest : 0
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
