import type { OriginFailure } from '../origins/origin-error.ts'
import type { Failure } from './sink.ts'

/** The failures of calls: the reason that callers read, when a retry may help, and whether the target is in trouble. */
export const failures = {
  throttled: { reason: 'it takes no more for now', retry: 'now', away: false },
  unavailable: { reason: 'it does not answer as it should', retry: 'now', away: true },
  // The target may have taken the events that it did not confirm. A retry could deliver them twice.
  timeout: { reason: 'it did not answer in time, and may have the events', retry: 'later', away: true },
  'invalid-answer': { reason: 'its answer was not understood, and it may have the events', retry: 'later', away: true },
  'bad-request': { reason: 'it refuses them', retry: 'never', away: false },
  refused: { reason: 'it does not know us, or what the configuration names', retry: 'later', away: true }
} as const satisfies Partial<Record<OriginFailure, Failure>>
