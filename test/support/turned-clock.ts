import type { Test } from 'tap'

/** The clock of this process, which a test puts forward: what reads the time from now on reads it here. It is right again after the test. */
export function turnedClock (t: Test): { pass: (ms: number) => void } {
  const real = Date.now
  let ahead = 0
  Date.now = () => real.call(Date) + ahead
  t.teardown(() => { Date.now = real })
  return { pass (ms) { ahead += ms } }
}
