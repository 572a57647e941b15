import type { Arrival } from '../contracts/event-target.ts'

interface RecordedEvent {
  eventId: string
  /** Epoch seconds. */
  sentAt: number
}

/** A record as targets that take whole bodies get it. */
export interface EventRecord {
  namespace: string
  path: string
  headers: Record<string, string>
  queryStringParameters: Record<string, string>
  body: { userId: string, sessionId: string, eventList?: RecordedEvent[], experimentConversions?: object[] }
}

/** The events of records. */
export function arrivalsOf (records: readonly EventRecord[]): Arrival[] {
  return records.flatMap(({ body: { userId, sessionId, eventList = [] } }) =>
    eventList.map(({ sentAt, ...event }) => ({ userId, sessionId, ...event, sentAt: Math.round(sentAt * 1000) })))
}
