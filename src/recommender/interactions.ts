import { fit } from './column.ts'

const none = 0

// The column of items has a slot in its lower bits, and two facts about the interaction above.
const slotBits = 2 ** 29 - 1
const anonymousBit = 2 ** 29
const withdrawnBit = 2 ** 30

/**
 * The interactions of all users in one ring, oldest out first. Each is linked to the previous one of its history and to
 * the previous one of its user, so that both can be walked newest first without separate lists.
 * Interactions are numbered from 1 without end; a link is the distance back to the older one.
 */
export class Interactions {
  readonly limit: number
  next = 1
  #items = new Int32Array(1024)
  #weights = new Float32Array(1024)
  #backInHistory = new Uint32Array(1024)
  #backOfUser = new Uint32Array(1024)

  /** @param limit interactions kept, at most */
  constructor (limit: number) {
    this.limit = limit
  }

  /**
   * Appends an interaction after the newest of its history and of its user (0 if there is none).
   * @param anonymous whether its event named no user
   * @returns its number
   */
  append (item: number, weight: number, lastInHistory: number, lastOfUser: number, anonymous = false): number {
    const number = this.next++
    const at = this.#at(number)
    if (at >= this.#items.length) this.#grow(at + 1)
    this.#items[at] = anonymous ? item | anonymousBit : item
    this.#weights[at] = weight
    this.#backInHistory[at] = this.isKept(lastInHistory) ? number - lastInHistory : none
    this.setPreviousOfUser(number, lastOfUser)
    return number
  }

  isKept (number: number): boolean {
    return number !== none && number >= this.next - this.limit
  }

  /** Returns the slot of an interaction's item. */
  item (number: number): number {
    return this.#entry(number) & slotBits
  }

  /** Returns whether a newer interaction with the same item has replaced this one in its history. */
  isSuperseded (number: number): boolean {
    return this.#items[this.#at(number)]! < 0
  }

  /** Returns whether the event of this interaction named no user. */
  isAnonymous (number: number): boolean {
    return (this.#entry(number) & anonymousBit) !== 0
  }

  /** Returns whether this interaction counts for nobody any more. */
  isWithdrawn (number: number): boolean {
    return (this.#entry(number) & withdrawnBit) !== 0
  }

  withdraw (number: number): void {
    const at = this.#at(number)
    const item = this.#items[at]!
    this.#items[at] = item < 0 ? ~(~item | withdrawnBit) : item | withdrawnBit
  }

  weight (number: number): number {
    return this.#weights[this.#at(number)]!
  }

  setWeight (number: number, weight: number): void {
    this.#weights[this.#at(number)] = weight
  }

  supersede (number: number): void {
    this.#items[this.#at(number)] = ~this.#entry(number)
  }

  /** Returns the previous interaction in its history; 0 if none is kept. */
  previousInHistory (number: number): number {
    return this.#previous(number, this.#backInHistory)
  }

  /** Returns the previous interaction of its user; 0 if none is kept. */
  previousOfUser (number: number): number {
    return this.#previous(number, this.#backOfUser)
  }

  /** Links an interaction to another previous one of its user; 0 for none. */
  setPreviousOfUser (number: number, previous: number): void {
    this.#backOfUser[this.#at(number)] = this.isKept(previous) ? number - previous : none
  }

  /** Returns the slot of an interaction's item with the facts about the interaction, whether it is superseded or not. */
  #entry (number: number): number {
    const item = this.#items[this.#at(number)]!
    return item < 0 ? ~item : item
  }

  #previous (number: number, back: Uint32Array): number {
    const distance = back[this.#at(number)]!
    return distance !== none && this.isKept(number - distance) ? number - distance : none
  }

  // `%`, not a bit mask: in a long-running process, numbers exceed 2³¹.
  #at (number: number): number {
    return number % this.limit
  }

  #grow (length: number): void {
    this.#items = fit(this.#items, length)
    this.#weights = fit(this.#weights, length)
    this.#backInHistory = fit(this.#backInHistory, length)
    this.#backOfUser = fit(this.#backOfUser, length)
  }
}
