/**
 * Evidence that Redis answers nobody. One attempt that failed proves little: the process may have been paused, or its own connection
 * may be broken. Attempts that fail one after the other for longer than the beacon burns (see epochs.ts) prove that the beacon is out.
 */
export interface Outage {
  /** Notes an attempt that failed, by when it began and ended. */
  failed: (began: number, ended: number) => void
  /** Notes an answer of Redis. */
  ended: () => void
  /** Whether Redis has certainly been away for long enough, and was still away at some moment after `time`. */
  provenSince: (time: number) => boolean
}

/** Between two failures further apart than this, in ms, Redis may have answered. */
const mostGap = 300

/** An attempt that took longer, in ms, did so because this process was paused: it says nothing of the time in between. */
const longestAttempt = 800

/** @param duration how long attempts must have failed, in ms */
export function createOutage (duration: number): Outage {
  let since: number | undefined
  let last = { began: -Infinity, ended: -Infinity }
  return {
    failed (began, ended) {
      if (since === undefined || began - last.ended > mostGap || ended - began > longestAttempt) since = ended
      last = { began: Math.max(began, last.began), ended }
    },
    ended () { since = undefined },
    provenSince: time => since !== undefined && last.began >= time && last.ended - since >= duration
  }
}
