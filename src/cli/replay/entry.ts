import { createHash } from 'node:crypto'
import type { Line } from '../../records/lines.ts'

/** A line of a file, in the form in which it is sent. */
export interface Entry {
  readonly line: number
  /** The user, or else the session, whose events these are. */
  readonly owner: string
  /** The JSON text of a body as `POST /events/{namespace}` takes it. */
  readonly body: string
  readonly events: number
}

/** A line that cannot be sent, and why. */
export interface BadLine {
  readonly line: number
  readonly text: string
  readonly problem: string
}

type Fields = Record<string, unknown>

/**
 * Reads a line that holds a body or a single event, which becomes a body. An event without an id gets an id derived from its line's
 * number and text, so that it has the same id when it is sent again.
 */
export function toEntry (line: Line): Entry | BadLine {
  const value = parse(line.text)
  if (value === undefined) return { line: line.number, text: line.text, problem: 'is not JSON' }
  if (!isObject(value)) return { line: line.number, text: line.text, problem: 'expected a JSON object' }
  const body = toBody(value)
  const eventList = Array.isArray(body['eventList']) ? withIds(body['eventList'], line) : undefined
  const owner = body['userId'] ?? body['sessionId']
  return {
    line: line.number,
    // The gateway refuses a body without user and session. Its own owner keeps it from delaying other bodies.
    owner: typeof owner === 'string' ? owner : String(line.number),
    body: JSON.stringify(eventList === undefined ? body : { ...body, eventList }),
    events: eventList?.length ?? 0
  }
}

function parse (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isObject (value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function toBody (value: Fields): Fields {
  if ('eventList' in value || 'experimentConversions' in value) return value
  const { userId, sessionId, ...event } = value
  return { userId, sessionId, eventList: [event] }
}

function withIds (events: unknown[], { number, text }: Line): unknown[] {
  let digest: string | undefined
  return events.map((event, i) => {
    if (!isObject(event) || event['eventId'] !== undefined) return event
    digest ??= createHash('sha256').update(`${number}\n${text}`).digest('base64url')
    return { ...event, eventId: `${digest}-${i}` }
  })
}
