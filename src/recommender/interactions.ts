import { fit } from './column.ts'

const none = 0

/**
 * The interactions of all users in one ring, oldest out first. Each is linked to the one before it in its history and to
 * the one before it of its user, so that both can be walked newest first without a list of their own.
 * Interactions are numbered from 1 without end; a link is the distance back to the older one.
 */
export class Interactions {
  readonly limit: number
  next = 1
  #items = new Int32Array(1024)
  #weights = new Float32Array(1024)
  #backInHistory = new Uint32Array(1024)
  #backOfUser = new Uint32Array(1024)

  /** @param limit most interactions kept */
  constructor (limit: number) {
    this.limit = limit
  }

  /** Appends one after the newest of its history and of its user (0 where there is none); returns its number. */
  append (item: number, weight: number, lastInHistory: number, lastOfUser: number): number {
    const number = this.next++
    const at = this.#at(number)
    if (at >= this.#items.length) this.#grow(at + 1)
    this.#items[at] = item
    this.#weights[at] = weight
    this.#backInHistory[at] = this.isKept(lastInHistory) ? number - lastInHistory : none
    this.#backOfUser[at] = this.isKept(lastOfUser) ? number - lastOfUser : none
    return number
  }

  isKept (number: number): boolean {
    return number !== none && number >= this.next - this.limit
  }

  /** The item's slot. */
  item (number: number): number {
    const item = this.#items[this.#at(number)]!
    return item < 0 ? ~item : item
  }

  /** Whether a newer interaction with the same item took this one's place in its history. */
  isSuperseded (number: number): boolean {
    return this.#items[this.#at(number)]! < 0
  }

  weight (number: number): number {
    return this.#weights[this.#at(number)]!
  }

  setWeight (number: number, weight: number): void {
    this.#weights[this.#at(number)] = weight
  }

  supersede (number: number): void {
    this.#items[this.#at(number)] = ~this.item(number)
  }

  /** The one before it in its history; 0 at the end of what is kept. */
  previousInHistory (number: number): number {
    return this.#previous(number, this.#backInHistory)
  }

  /** The one before it of its user; 0 at the end of what is kept. */
  previousOfUser (number: number): number {
    return this.#previous(number, this.#backOfUser)
  }

  #previous (number: number, back: Uint32Array): number {
    const distance = back[this.#at(number)]!
    return distance !== none && this.isKept(number - distance) ? number - distance : none
  }

  // `%`, not a bit mask: numbers go past 2³¹ in a long life.
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
