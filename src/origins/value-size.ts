/** The members of lists and objects, and numbers, count as this many characters. */
const memberSize = 8
const deepest = 200

const isFunction = (value: object): boolean => '_jsonata_lambda' in value || '_jsonata_function' in value

/** Measures values about as long as their JSON is, in characters. It remembers the sizes of objects, which must not change meanwhile. */
export interface Measure {
  /** Returns the size of a value. @throws Error if it is larger than `most` or nested too deeply */
  (value: unknown, most: number): number
  /** Forgets all sizes. */
  forget: () => void
}

export function createMeasure (): Measure {
  let known = new WeakMap<object, number>()

  function sizeOf (value: unknown, most: number, depth: number): number {
    if (typeof value === 'string') return value.length
    if (typeof value !== 'object' || value === null) return memberSize
    const before = known.get(value)
    if (before !== undefined) return before
    if (depth > deepest) throw new Error(`a value of the mapping is nested more than ${deepest} deep`)
    let size = memberSize
    if (Array.isArray(value)) {
      for (const member of value) size = within(size + memberSize + sizeOf(member, most, depth + 1), most)
    } else if (!isFunction(value)) {
      for (const [key, member] of Object.entries(value)) size = within(size + memberSize + key.length + sizeOf(member, most, depth + 1), most)
    }
    known.set(value, size)
    return size
  }

  return Object.assign((value: unknown, most: number) => within(sizeOf(value, most, 0), most), { forget () { known = new WeakMap() } })
}

/** Returns a size. @throws Error if it is more than `most` */
export function within (size: number, most: number): number {
  if (size > most) throw new Error(`the mapping makes more than ${most.toLocaleString('en')} characters`)
  return size
}
