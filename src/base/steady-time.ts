import type { IBackoffFactory } from 'cockatiel'

/**
 * Returns the time in ms on a clock that only goes forward. Unlike the system's clock, nobody sets it, so that ages and pauses are
 * measured on it. It begins near the epoch time at which the process began, and differs from the system's clock once that is set.
 */
export function steadyNow (): number {
  return performance.timeOrigin + performance.now()
}

/**
 * Returns the pause of a circuit breaker of cockatiel, measured on a steady clock. Cockatiel itself compares `Date.now()` with the
 * duration: if the system's clock were set back, the circuit would stay open for that time, too.
 * @param ms the pause between two probes
 */
export function steadyPause (ms: number, now: () => number = steadyNow): IBackoffFactory<unknown> {
  return {
    next () {
      const began = now()
      return { ...steadyPause(ms, now), get duration () { return now() - began < ms ? Infinity : -Infinity } }
    }
  }
}
