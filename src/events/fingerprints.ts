export interface FingerprintsOptions {
  /** Epoch milliseconds. */
  now: () => number
  /** For how long at least a text is remembered, in ms, unless there are too many of them. */
  keepFor: number
  /** How many slots a generation may have, a power of two; three quarters of them are used. Each takes 8 bytes. */
  slots?: number
}

/** Remembers that it has seen texts, in memory that is bounded. Of two texts one can be taken for the other once in 2^64 times. */
export interface Fingerprints {
  add: (text: string) => void
  has: (text: string) => boolean
}

/** What was added from one moment to another, by open addressing. */
interface Generation {
  readonly since: number
  /** Two numbers a slot; where the second is 0, it is free. */
  readonly table: Uint32Array
  count: number
}

/** How many the first one has. */
const firstSlots = 2 ** 14

/**
 * Generations, the newest first. Another begins when the newest is full or as old as texts are to be kept; one that was full so early is
 * followed by a larger one. They are never copied: that would take longer than a request may.
 */
export function createFingerprints ({ now, keepFor, slots = 2 ** 22 }: FingerprintsOptions): Fingerprints {
  // Nobody can know beforehand which texts would be taken for each other.
  const [seed = 0, otherSeed = 0] = crypto.getRandomValues(new Uint32Array(2))
  let generations: Generation[] = []

  /** Of the text that is looked for. */
  let [high, low] = [0, 0]

  const slotsOf = (table: Uint32Array): number => table.length / 2
  const isFull = ({ count, table }: Generation): boolean => count >= slotsOf(table) * 3 / 4
  /** What came last to a generation came before the one after it began. */
  const isKept = (i: number): boolean => i === 0 || now() - generations[i - 1]!.since < keepFor

  function begin (): Generation {
    const newest = generations[0]
    const length = newest === undefined ? Math.min(firstSlots, slots) : isFull(newest) ? Math.min(slotsOf(newest.table) * 2, slots) : slotsOf(newest.table)
    let room = 2 * slots - length
    const begun = { since: now(), table: new Uint32Array(2 * length), count: 0 }
    const kept = generations.filter(({ since, table }, i) => isKept(i) && now() - since < 2 * keepFor && (room -= slotsOf(table)) >= 0)
    generations = [begun, ...kept]
    return begun
  }

  /** Makes a text the one that is looked for. */
  function look (text: string): void {
    let [a, b] = [seed, otherSeed]
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i)
      a = Math.imul(a ^ unit, 0x9e3779b1)
      a ^= a >>> 15
      b = Math.imul(b ^ unit, 0x85ebca77)
      b ^= b >>> 13
    }
    high = a >>> 0
    low = (b >>> 0) || 1
  }

  const isAt = (table: Uint32Array, slot: number): boolean => table[2 * slot] === high && table[2 * slot + 1] === low

  /** Where it is, or where it would be. */
  function slotOf (table: Uint32Array): number {
    const last = slotsOf(table) - 1
    let slot = (Math.imul(high ^ low, 0x9e3779b1) >>> 8) & last
    while (table[2 * slot + 1] !== 0 && !isAt(table, slot)) slot = (slot + 1) & last
    return slot
  }

  return {
    add (text) {
      let newest = generations[0]
      if (newest === undefined || isFull(newest) || now() - newest.since >= keepFor) newest = begin()
      look(text)
      const { table } = newest
      const slot = slotOf(table)
      if (!isAt(table, slot)) newest.count++
      table[2 * slot] = high
      table[2 * slot + 1] = low
    },
    has (text) {
      look(text)
      return generations.some(({ table }, i) => isKept(i) && isAt(table, slotOf(table)))
    }
  }
}
