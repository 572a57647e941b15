import type { Test } from 'tap'

/** Replaces `Date.now` of this process by a clock that a test can advance. The end of the test restores it. */
export function turnedClock (t: Test): { pass: (ms: number) => void } {
  const real = Date.now
  let ahead = 0
  Date.now = () => real.call(Date) + ahead
  t.teardown(() => { Date.now = real })
  return { pass (ms) { ahead += ms } }
}
