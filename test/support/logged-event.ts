import type { LoggedEvent } from '../../src/recommender/event-log.ts'

/** Returns a complete event with the given members. */
export function loggedEvent (eventId: string, more: Partial<LoggedEvent> = {}): LoggedEvent {
  return { eventId, userId: 'u', itemId: 'i', eventType: 'view', sentAt: 1_700_000_000_000, ...more }
}
