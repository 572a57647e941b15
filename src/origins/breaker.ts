import { CircuitState, type IBreaker } from 'cockatiel'

/** The failure rate covers the calls of the last ten seconds, counted by the second. */
const slice = 1_000
const slices = 10
/** The share of failed calls from which on the breaker opens. */
const highestRate = 0.5
/** A run of failures opens the breaker if no call has succeeded for so long, in ms. */
const longestRun = 1_000

export interface BreakerOptions {
  /** The least number of failures that opens the breaker. */
  failures: number
  /** Returns the time in ms, from a monotonic clock. */
  now: () => number
}

/**
 * Creates the rule by which a circuit opens. It opens when at least `failures` calls failed in the last ten seconds, and these are half
 * of all calls or more; or when at least `failures` calls failed in a row, and no call has succeeded for a second. The second keeps a
 * provider available that fails now and then: given enough calls, runs of any length occur at any rate of failures.
 */
export function createBreaker ({ failures: least, now }: BreakerOptions): IBreaker {
  const window = Array.from({ length: slices }, () => ({ number: -1, calls: 0, failures: 0 }))
  const run = { length: 0, since: 0 }

  function current (): { calls: number, failures: number } {
    const number = Math.floor(now() / slice)
    const found = window[number % slices]!
    if (found.number !== number) Object.assign(found, { number, calls: 0, failures: 0 })
    return found
  }

  function isRateTooHigh (): boolean {
    const oldest = Math.floor(now() / slice) - slices + 1
    let calls = 0
    let failures = 0
    for (const counted of window) {
      if (counted.number < oldest) continue
      calls += counted.calls
      failures += counted.failures
    }
    return failures >= least && failures >= highestRate * calls
  }

  return {
    // The state is not stored: each process learns about its providers anew.
    state: undefined,
    success (state) {
      run.length = 0
      // After a provider has recovered, its earlier failures do not count.
      if (state === CircuitState.HalfOpen) for (const counted of window) counted.number = -1
      current().calls++
    },
    failure () {
      const counted = current()
      counted.calls++
      counted.failures++
      if (run.length++ === 0) run.since = now()
      return (run.length >= least && now() - run.since >= longestRun) || isRateTooHigh()
    }
  }
}
