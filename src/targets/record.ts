import { Buffer } from 'node:buffer'
import { ownerOf, type EventBody } from './body.ts'
import type { UserEvent } from './event.ts'

/** Events of a body as one JSON text, for targets that take whole bodies. */
export interface EventRecord {
  readonly text: string
  /** In bytes. */
  readonly size: number
  readonly eventIds: readonly string[]
  readonly owner: string
}

/**
 * Returns the records of a body: one, with the request that brought it, or several if one would be larger than `mostBytes`. A single
 * event that is too large stays as it is, and the target refuses it.
 */
export function recordsOf (body: EventBody, mostBytes: number): EventRecord[] {
  const { events, conversions } = body
  const { text, size } = textOf(body)
  if (size <= mostBytes || events.length <= 1) return [{ text, size, eventIds: events.map(({ eventId }) => eventId), owner: ownerOf(body) }]
  const half = events.length >> 1
  return [
    ...recordsOf({ ...body, events: events.slice(0, half), conversions }, mostBytes),
    ...recordsOf({ ...body, events: events.slice(half), conversions: [], more: isHeavy(body.more) ? {} : body.more ?? {} }, mostBytes)
  ]
}

/** The longest text of further members that each record of a split body repeats, in characters. */
const longestRepeated = 64 * 1024

function isHeavy (more: EventBody['more']): boolean {
  return more !== undefined && JSON.stringify(more).length > longestRepeated
}

/** The texts of bodies, kept since several targets take the same body. */
const texts = new WeakMap<EventBody, { text: string, size: number }>()

function textOf (body: EventBody): { text: string, size: number } {
  const known = texts.get(body)
  if (known !== undefined) return known
  const text = JSON.stringify(recordOf(body))
  const made = { text, size: Buffer.byteLength(text) }
  texts.set(body, made)
  return made
}

function recordOf ({ namespace, userId, sessionId, events, conversions, broughtBy, more }: EventBody): object {
  return {
    namespace,
    path: broughtBy.path,
    headers: broughtBy.headers,
    queryStringParameters: broughtBy.query,
    body: {
      ...more,
      userId,
      sessionId,
      ...(events.length > 0 ? { eventList: events.map(eventOf) } : {}),
      ...(conversions.length > 0 ? { experimentConversions: conversions } : {})
    }
  }
}

/** Returns an event in the form of a request, with its defaults. Times are in epoch seconds, and in whole ones if the caller gave none. */
function eventOf ({ idGiven, timeGiven, more, userId, sessionId, sentAt, ...event }: UserEvent): object {
  return { ...more, ...event, sentAt: timeGiven === false ? Math.floor(sentAt / 1000) : sentAt / 1000 }
}
