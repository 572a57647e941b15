/**
 * Evidence that Redis answers no instance. One failed attempt proves little: the process may have been paused, or its own connection may
 * be broken. Successive attempts that fail for longer than the lifetime of the beacon (see epochs.ts) prove that the beacon is out.
 */
export interface Outage {
  /** Records a failed attempt, with the times at which it began and ended. */
  failed: (began: number, ended: number) => void
  /** Records an answer of Redis, which ends the outage. */
  ended: () => void
  /** Returns whether Redis has certainly been away for `duration`, and was still away at some moment after `time`. */
  provenSince: (time: number) => boolean
}

/** The longest gap, in ms, between two failures of one outage. In a longer gap, Redis may have answered. */
const mostGap = 300

/** The longest attempt, in ms, that counts as evidence. A longer one means that this process was paused, and says nothing of that time. */
const longestAttempt = 800

/** Returns an empty record of attempts. @param duration the time, in ms, for which attempts must have failed */
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
