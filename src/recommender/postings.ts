/** An item's most recent histories, oldest first, so that a query reads from the end. */
export class Postings {
  length = 0
  histories = new Uint32Array(4)

  /**
   * Inserts a history by its number, unless it is already in the list: histories begin in order, but may reach an item out of order.
   * Beyond `limit`, the oldest is removed.
   */
  add (history: number, limit: number): void {
    let at = this.length
    while (at > 0 && this.histories[at - 1]! > history) at--
    if (at > 0 && this.histories[at - 1] === history) return
    if (this.length >= limit) {
      if (at === 0) return
      this.histories.copyWithin(0, 1, at)
      this.histories[at - 1] = history
      return
    }
    if (this.length === this.histories.length) this.#grow(limit)
    this.histories.copyWithin(at + 1, at, this.length)
    this.histories[at] = history
    this.length++
  }

  has (history: number): boolean {
    let at = this.length
    while (at > 0 && this.histories[at - 1]! > history) at--
    return at > 0 && this.histories[at - 1] === history
  }

  #grow (limit: number): void {
    const grown = new Uint32Array(Math.min(this.length * 2, limit))
    grown.set(this.histories)
    this.histories = grown
  }
}
