import type { Arrival } from '../contracts/event-target.ts'

interface RecordedEvent {
  eventId: string
  /** Epoch seconds. */
  sentAt: number
}

/** The record that a target of whole bodies receives. */
export interface EventRecord {
  namespace: string
  path: string
  headers: Record<string, string>
  queryStringParameters: Record<string, string>
  body: { userId: string, sessionId: string, eventList?: RecordedEvent[], experimentConversions?: object[] }
}

/** Returns the events in records. */
export function arrivalsOf (records: readonly EventRecord[]): Arrival[] {
  return records.flatMap(({ body: { userId, sessionId, eventList = [] } }) =>
    eventList.map(({ sentAt, ...event }) => ({ userId, sessionId, ...event, sentAt: Math.round(sentAt * 1000) })))
}
