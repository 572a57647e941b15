/** The durations of the most recent calls. */
export interface Latencies {
  /** Adds a duration in ms. */
  add: (duration: number) => void
  /** Returns the 95th percentile in ms; undefined while there are too few durations. */
  p95: () => number | undefined
}

const kept = 128
const enough = 20

/** Creates an empty list that keeps the newest 128 durations. */
export function createLatencies (): Latencies {
  const durations = new Float64Array(kept)
  let count = 0
  let p95: number | undefined
  return {
    add (duration) {
      durations[count++ % kept] = duration
      // Sorting after each call would cost more than hedging saves.
      if (count >= enough && count % 16 === 0) {
        const sorted = durations.slice(0, Math.min(count, kept)).sort()
        p95 = sorted[Math.floor(sorted.length * 0.95)]
      }
    },
    p95: () => p95
  }
}
