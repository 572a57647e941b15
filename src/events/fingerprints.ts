export interface FingerprintsOptions {
  /** Milliseconds on a steady clock. */
  now: () => number
  /** How long a text is remembered at least, in ms, unless there are too many texts. */
  keepFor: number
  /** The most slots of a generation, a power of two; three quarters of them are used. A slot takes 8 bytes. */
  slots?: number
}

/** A set of texts in bounded memory. It keeps hashes of 64 bits: the probability that it mistakes one text for another is 2^-64. */
export interface Fingerprints {
  add: (text: string) => void
  has: (text: string) => boolean
}

/** The texts that were added in one period: a hash table with open addressing. */
interface Generation {
  readonly since: number
  /** Two numbers per slot. A slot is free if its second number is 0. */
  readonly table: Uint32Array
  count: number
}

/** The slots of the first generation. */
const firstSlots = 2 ** 14

/**
 * Creates a set of texts, in generations, the newest first. A new generation begins when the newest one is full, or as old as `keepFor`.
 * After a full generation the next one is twice as large. Tables are never copied, since that would take longer than a request may.
 */
export function createFingerprints ({ now, keepFor, slots = 2 ** 22 }: FingerprintsOptions): Fingerprints {
  // Random seeds keep a caller from choosing texts that have the same hash.
  const [seed = 0, otherSeed = 0] = crypto.getRandomValues(new Uint32Array(2))
  let generations: Generation[] = []

  /** The hash of the text that was given to `look` last. */
  let [high, low] = [0, 0]

  const slotsOf = (table: Uint32Array): number => table.length / 2
  const isFull = ({ count, table }: Generation): boolean => count >= slotsOf(table) * 3 / 4
  /** All texts of a generation were added before the next generation began. */
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

  /** Computes the hash of a text into `high` and `low`. */
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

  /** Returns the slot that holds the hash, or else the free slot for it. */
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
