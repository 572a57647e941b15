/** A reproducible random generator: mulberry32, with 32 bits and a period of 2³². */
export interface SeededRandom {
  /** 0 ≤ x < 1. */
  next: () => number
  /** Returns an integer, both ends included. */
  integer: (from: number, to: number) => number
  pick: <T>(values: readonly T[]) => T
}

/** Creates a random generator from a seed. */
export function seededRandom (seed: number): SeededRandom {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6D2B79F5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const integer = (from: number, to: number): number => from + Math.floor(next() * (to - from + 1))
  return { next, integer, pick: values => values[integer(0, values.length - 1)]! }
}
