import { CircuitState, type IBreaker } from 'cockatiel'

/** The failure rate counts the calls of the last ten seconds, kept by the second. */
const slice = 1_000
const slices = 10
/** From this share of failures on, a provider gets a pause. */
const highestRate = 0.5
/** A run of failures opens the breaker if no call has succeeded for so long, in ms. */
const longestRun = 1_000

export interface BreakerOptions {
  /** So many failures are necessary to open it. */
  failures: number
  /** In ms, on a clock that never goes back. */
  now: () => number
}

/**
 * Creates the rule that tells a circuit when to open: when at least so many calls failed in the last ten seconds, and these are half of
 * all calls or more; or when at least so many failed in a row, and no call has succeeded for a second. A provider that fails now and
 * then stays available, because a count of failures in a row alone would open at any rate of failures, given enough calls.
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
    // Nothing stores it: each process learns about its providers anew.
    state: undefined,
    success (state) {
      run.length = 0
      // A provider that has recovered is not judged by what was before.
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
