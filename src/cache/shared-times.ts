import type { Entry } from './entry.ts'

export interface Clocks {
  /** Epoch milliseconds, by which processes compare times. It may be set at any time. */
  now: () => number
  /** Milliseconds on the steady clock of this process. */
  steady: () => number
}

/** The most by which the clocks of two instances may differ, in ms. */
const mostSkew = 1_000

/** Returns an entry with its times in epoch ms, for other processes. */
export function toShared (entry: Entry, { now, steady }: Clocks): Entry {
  return shifted(entry, now() - steady())
}

/**
 * Returns an entry that a process has shared, with its times on the steady clock of this process. An entry from the future was made before
 * a clock was set back, so that its age is unknown: it counts as old, and is served only in place of a failure.
 */
export function fromShared (entry: Entry, { now, steady }: Clocks): Entry {
  const age = now() - entry.madeAt
  const known = shifted(entry, steady() - Math.max(age, 0) - entry.madeAt)
  if (age >= -mostSkew) return known
  const ttl = known.freshUntil - known.madeAt
  const old = shifted(known, -ttl)
  return { ...old, staleUntil: old.freshUntil }
}

function shifted (entry: Entry, by: number): Entry {
  const { madeAt, freshUntil, staleUntil, errorUntil } = entry
  return { ...entry, madeAt: madeAt + by, freshUntil: freshUntil + by, staleUntil: staleUntil + by, errorUntil: errorUntil + by }
}
