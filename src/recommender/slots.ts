/** Assigns each id a small stable number (its slot). Beyond the limit, the least recently used id loses its slot. */
export interface Slots {
  readonly size: number
  /** Returns the slot of a known id, else undefined. */
  get: (id: string) => number | undefined
  id: (slot: number) => string
  /** Returns the slot of an id, known or new, and marks the id as the most recently used. */
  take: (id: string) => number
}

/**
 * Creates an empty set of slots.
 * @param limit slots in use, at most
 * @param onNew called with a slot that was assigned to a new id, so that its columns can be reset
 */
export function createSlots (limit: number, onNew: (slot: number) => void): Slots {
  // A Map iterates in insertion order, so re-inserting on use keeps the least recently used id first.
  const slots = new Map<string, number>()
  const ids: string[] = []

  function assign (id: string): number {
    let slot = slots.size
    if (slot >= limit) {
      const [oldest, freed] = slots.entries().next().value!
      slots.delete(oldest)
      slot = freed
    }
    ids[slot] = id
    onNew(slot)
    return slot
  }

  return {
    get size () { return slots.size },
    get: id => slots.get(id),
    id: slot => ids[slot]!,
    take (id) {
      const known = slots.get(id)
      if (known !== undefined) slots.delete(id)
      const slot = known ?? assign(id)
      slots.set(id, slot)
      return slot
    }
  }
}
