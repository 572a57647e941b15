import type { Test } from 'tap'

/** The clocks of this process, as a test turns them. */
export interface TurnedClock {
  /** Lets time pass, in ms. */
  pass: (ms: number) => void
  /** Sets the system's clock forward, or back by a negative number, in ms. No time passes. */
  step: (ms: number) => void
}

/** Replaces `Date.now` and `performance.now` of this process by clocks that a test can turn. The end of the test restores them. */
export function turnedClock (t: Test): TurnedClock {
  const [date, steady] = [Date.now, performance.now.bind(performance)]
  let [passed, stepped] = [0, 0]
  Date.now = () => date.call(Date) + passed + stepped
  performance.now = () => steady() + passed
  t.teardown(() => {
    Date.now = date
    performance.now = steady
  })
  return {
    pass (ms) { passed += ms },
    step (ms) { stepped += ms }
  }
}
