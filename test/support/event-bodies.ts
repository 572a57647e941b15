import { bringerOf, type Bringer, type EventBody } from '../../src/targets/body.ts'
import type { UserEvent } from '../../src/targets/event.ts'

export const testBringer: Bringer = bringerOf('/events/shop?debug=1', { 'user-agent': 'test' }, { debug: '1' })

/** Returns a body of one user with an event per id, in the form that targets receive. */
export function eventBody (userId: string, eventIds: readonly string[], more: Partial<UserEvent> = {}): EventBody {
  const sessionId = `session-of-${userId}`
  const events = eventIds.map(eventId => ({ eventId, idGiven: true, userId, sessionId, eventType: 'view', itemId: `item-of-${eventId}`, sentAt: 1_700_000_000_000, ...more }))
  return { namespace: 'shop', userId, sessionId, events, conversions: [], broughtBy: testBringer }
}

/** Returns bodies with one event each, of so many users in turn. */
export function bodiesOf (users: number, bodiesEach: number, more: Partial<UserEvent> = {}): EventBody[] {
  return Array.from({ length: users * bodiesEach }, (_, i) => eventBody(`user-${i % users}`, [`event-${i}`], more))
}

/** Returns the ids of all events in bodies. */
export function idsOf (bodies: readonly EventBody[]): string[] {
  return bodies.flatMap(({ events }) => events.map(({ eventId }) => eventId))
}
