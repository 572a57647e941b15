import { hash } from 'node:crypto'
import { parseTime } from '../events/time.ts'
import { BadLines } from '../records/import-error.ts'
import { readRecords, type ReadOptions } from '../records/read-records.ts'
import { openEventLog, type EventLog, type LoggedEvent } from './event-log.ts'
import { eventLogDirectory } from './of-namespace.ts'

export interface ImportEventsOptions extends ReadOptions {
  dataDir: string
  namespace: string
  file: string
  /** For records that name none. */
  eventType?: string | undefined
  /** Epoch milliseconds, for records that name no time. */
  now: () => number
}

export interface ImportedEvents {
  /** In the file. */
  read: number
  /** That the log did not have yet. */
  added: number
}

const longestId = 256

/**
 * Loads events into the log of a namespace's embedded recommender. A server that runs on the same directory learns them within
 * seconds. Importing a file twice adds nothing: a record without an `eventId` gets one made from what it says.
 * @throws ImportError listing the bad lines; the file is checked whole before any of it is written
 */
export async function importEvents ({ dataDir, namespace, file, onProgress, columns, ...options }: ImportEventsOptions): Promise<ImportedEvents> {
  // Two passes, of which the first only looks: nothing is half imported.
  const halves = (pass: 0 | 1) => (done: number, total: number): void => { onProgress?.((pass * total + done) / 2, total) }
  await check(file, { ...options, columns, onProgress: halves(0) })

  const log = await openEventLog(eventLogDirectory(dataDir, namespace))
  try {
    return await write(log, file, { ...options, columns, onProgress: halves(1) })
  } finally {
    await log.close()
  }
}

type ReadEventsOptions = ReadOptions & Pick<ImportEventsOptions, 'eventType' | 'now'>

async function check (file: string, options: ReadEventsOptions): Promise<void> {
  const bad = new BadLines()
  for await (const batch of readEvents(file, options)) {
    for (const { line, event } of batch) if (typeof event === 'string') bad.add(line, event)
  }
  bad.refuse()
}

async function write (log: EventLog, file: string, options: ReadEventsOptions): Promise<ImportedEvents> {
  const imported = { read: 0, added: 0 }
  for await (const batch of readEvents(file, options)) {
    const events = batch.map(({ event }) => event).filter(event => typeof event !== 'string')
    if (events.length < batch.length) throw new Error('the file changed while it was being imported')
    imported.read += events.length
    imported.added += (await log.append(events)).length
  }
  if (imported.added > 0) await log.announce()
  return imported
}

/** The events of a file, or what is wrong with them. */
async function * readEvents (file: string, { eventType, now, ...read }: ReadEventsOptions): AsyncGenerator<Array<{ line: number, event: LoggedEvent | string }>> {
  for await (const batch of readRecords(file, read)) {
    yield batch.map(source => ({ line: source.line, event: 'problem' in source ? source.problem : toEvent(source.record, eventType, now) }))
  }
}

/** The event that a record describes, or what is wrong with it. */
function toEvent (record: Record<string, unknown>, eventType: string | undefined, now: () => number): LoggedEvent | string {
  const fields = { userId: text(record['userId']), sessionId: text(record['sessionId']), itemId: text(record['itemId']), eventType: text(record['eventType']) ?? eventType ?? 'view' }
  const { userId, sessionId, itemId } = fields
  if (itemId === undefined) return 'itemId: is missing'
  if (userId === undefined && sessionId === undefined) return 'userId: is missing, and so is sessionId'
  const long = Object.entries(fields).find(([, value]) => value !== undefined && value.length > longestId)
  if (long) return `${long[0]}: expected at most ${longestId} characters`

  const sentAt = record['sentAt'] === undefined || record['sentAt'] === '' ? now() : parseTime(record['sentAt'] as string)
  if (sentAt === undefined) return 'sentAt: expected epoch seconds or an ISO 8601 time'
  const eventValue = record['eventValue'] === undefined || record['eventValue'] === '' ? undefined : Number(record['eventValue'])
  if (Number.isNaN(eventValue)) return 'eventValue: expected a number'
  const given = text(record['eventId'])
  if (given !== undefined && given.length > longestId) return `eventId: expected at most ${longestId} characters`
  const eventId = given ?? hash('sha1', JSON.stringify([userId, sessionId, itemId, fields.eventType, sentAt, eventValue]), 'base64url')
  return { ...fields, itemId, eventId, sentAt, eventValue }
}

function text (value: unknown): string | undefined {
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' && value !== '' ? value : undefined
}
