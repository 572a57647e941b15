import { bringerOf, type Bringer, type EventBody } from '../../src/targets/body.ts'
import type { UserEvent } from '../../src/targets/event.ts'

export const testBringer: Bringer = bringerOf('/events/shop?debug=1', { 'user-agent': 'test' }, { debug: '1' })

/** A body of one user with an event for each id, as the targets get it. */
export function eventBody (userId: string, eventIds: readonly string[], more: Partial<UserEvent> = {}): EventBody {
  const sessionId = `session-of-${userId}`
  const events = eventIds.map(eventId => ({ eventId, idGiven: true, userId, sessionId, eventType: 'view', itemId: `item-of-${eventId}`, sentAt: 1_700_000_000_000, ...more }))
  return { namespace: 'shop', userId, sessionId, events, conversions: [], broughtBy: testBringer }
}

/** Bodies of so many users in turns, each with one event. */
export function bodiesOf (users: number, bodiesEach: number, more: Partial<UserEvent> = {}): EventBody[] {
  return Array.from({ length: users * bodiesEach }, (_, i) => eventBody(`user-${i % users}`, [`event-${i}`], more))
}

export function idsOf (bodies: readonly EventBody[]): string[] {
  return bodies.flatMap(({ events }) => events.map(({ eventId }) => eventId))
}
