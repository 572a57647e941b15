import { hash } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { withLock } from '../base/lock.ts'
import { isJsonObject } from '../base/json-object.ts'
import { isId } from '../base/schema.ts'
import { parseTime, timeForms } from '../base/time.ts'
import { BadLines } from '../records/import-error.ts'
import { itemInProperties } from '../records/item-in-properties.ts'
import { membersOf } from '../records/json-members.ts'
import { readRecords, type Columns, type ReadOptions, type SoundRecord } from '../records/read-records.ts'
import { openEventLog, type EventLog, type LoggedEvent } from './event-log.ts'
import { eventLogDirectory } from './of-namespace.ts'

export interface ImportEventsOptions extends ReadOptions {
  dataDir: string
  namespace: string
  file: string
  /** Type of records without one; default `view`. */
  eventType?: string | undefined
  /** Refuses a file with any bad line. */
  strict?: boolean | undefined
  /** Epoch milliseconds, for records without a time. */
  now: () => number
}

export interface ImportedEvents {
  /** Number of valid events in the file. */
  read: number
  /** Number of events that the log did not have yet. */
  added: number
  /** Lines that were skipped. */
  bad: BadLines
}

/**
 * Loads events into the log of a namespace's embedded recommender. A server that runs on the same directory learns them within
 * seconds. A second import of a file adds nothing (a record without an `eventId` gets one derived from its content), so a file can be
 * imported again after its bad lines were corrected.
 * @throws ImportError listing the bad lines, if `strict`; then the whole file is checked before any event is written
 */
export async function importEvents ({ dataDir, namespace, file, strict = false, onProgress, ...options }: ImportEventsOptions): Promise<ImportedEvents> {
  const passes = strict ? 2 : 1
  const partOf = (pass: number) => (done: number, total: number): void => { onProgress?.((pass * total + done) / passes, total) }
  if (strict) (await checkEvents(file, { ...options, onProgress: partOf(0) })).refuse()

  const directory = eventLogDirectory(dataDir, namespace)
  await mkdir(directory, { recursive: true })
  return withLock(join(directory, 'IMPORT'), async () => writeInto(directory, file, { ...options, onProgress: partOf(passes - 1) }))
}

async function writeInto (directory: string, file: string, options: ReadEventsOptions): Promise<ImportedEvents> {
  const log = await openEventLog(directory, { now: options.now, onError: error => { throw error } })
  try {
    return await write(log, file, options)
  } finally {
    await log.close()
  }
}

type ReadEventsOptions = ReadOptions & Pick<ImportEventsOptions, 'eventType' | 'now'>

async function checkEvents (file: string, options: ReadEventsOptions): Promise<BadLines> {
  const bad = new BadLines()
  for await (const batch of readEvents(file, options)) {
    for (const { line, event } of batch) if (typeof event === 'string') bad.add(line, event)
  }
  return bad
}

async function write (log: EventLog, file: string, options: ReadEventsOptions): Promise<ImportedEvents> {
  const imported = { read: 0, added: 0, bad: new BadLines() }
  let writing = Promise.resolve(0)
  for await (const batch of readEvents(file, options)) {
    const events: LoggedEvent[] = []
    for (const { line, event } of batch) {
      if (typeof event === 'string') imported.bad.add(line, event)
      else events.push(event)
    }
    imported.read += events.length
    // The next batch is read while this one is written. The next iteration throws the error of a failed write.
    imported.added += await writing
    writing = append(log, events)
    writing.catch(() => {})
  }
  imported.added += await writing
  if (imported.added > 0) await log.markImported()
  return imported
}

async function append (log: EventLog, events: LoggedEvent[]): Promise<number> {
  const { added, others } = await log.append(events, { timeOf: ({ sentAt }) => sentAt })
  await others
  return added.length
}

/** Reads the events of a file; for an invalid record, a message that says why. */
async function * readEvents (file: string, { eventType, now, ...read }: ReadEventsOptions): AsyncGenerator<Array<{ line: number, event: LoggedEvent | string }>> {
  for await (const batch of readRecords(file, { ...read, required: [['itemId', 'properties'], ['userId', 'sessionId']] })) {
    yield batch.map(source => ({ line: source.line, event: 'problem' in source ? source.problem : toEvent(source.text === undefined ? { ...source, record: trimmed(source.record) } : source, eventType, now, read.columns) }))
  }
}

/** Returns the event of a record, or a message that says why the record is invalid. */
function toEvent ({ record, text: source }: SoundRecord, defaultType: string | undefined, now: () => number, columns?: Columns): LoggedEvent | string {
  const userId = text(record['userId'])
  const sessionId = text(record['sessionId'])
  const itemId = text(record['itemId']) ?? itemInside(record['properties'], source, columns?.['properties'])
  const eventType = text(record['eventType']) ?? defaultType ?? 'view'
  const eventId = text(record['eventId'])
  if (itemId === undefined) return 'itemId: is missing'
  if (userId === undefined && sessionId === undefined) return 'userId: is missing, and so is sessionId'
  const tooLong = [itemId, eventType, userId, sessionId, eventId].some(id => id !== undefined && !isId(id))
  if (tooLong) return 'itemId, userId, sessionId, eventType, eventId: expected at most 256 characters'

  const sentAt = isGiven(record['sentAt']) ? parseTime(record['sentAt'] as string) : now()
  if (sentAt === undefined) return `sentAt: ${timeForms}`
  const eventValue = isGiven(record['eventValue']) ? Number(record['eventValue']) : undefined
  if (Number.isNaN(eventValue)) return 'eventValue: expected a number'
  return { userId, sessionId, itemId, eventType, sentAt: Math.min(sentAt, now()), eventValue, eventId: eventId ?? contentId(userId, sessionId, itemId, eventType, isGiven(record['sentAt']) ? sentAt : undefined) }
}

/**
 * Returns the item in the properties of a record, an object or the text of one; undefined if there is none.
 * @param source the record's own text, in which numbers have all of their digits
 */
function itemInside (properties: unknown, source = '{}', column = 'properties'): string | undefined {
  if (typeof properties === 'string') return isJsonObject(properties) ? itemInProperties(properties) : undefined
  if (typeof properties !== 'object' || properties === null || Array.isArray(properties)) return undefined
  const member = membersOf(source).findLast(({ key }) => key === column)
  return member === undefined ? undefined : itemInProperties(source.slice(member.valueFrom, member.to))
}

/** Returns an id derived from an event's content, so that each import gives the same event the same id. */
function contentId (...facts: ReadonlyArray<string | number | undefined>): string {
  return hash('sha1', facts.join('\0'), 'base64url')
}

/** Returns a table's row without the blanks around its values: programs that write columns of a fixed width pad ids with blanks. */
function trimmed (record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, typeof value === 'string' ? value.trim() : value]))
}

function isGiven (value: unknown): boolean {
  return value !== undefined && value !== '' && value !== null
}

function text (value: unknown): string | undefined {
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' && value !== '' ? value : undefined
}
