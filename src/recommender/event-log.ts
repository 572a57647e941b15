import { randomUUID } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import type { Database, RootDatabase } from 'lmdb'
import { assertRoom, committed } from '../connections/lmdb.ts'

/** An interaction as the log keeps it, whole enough to train another recommender from. */
export interface LoggedEvent {
  eventId: string
  userId?: string | undefined
  sessionId?: string | undefined
  itemId: string
  eventType: string
  /** Epoch milliseconds. */
  sentAt: number
  eventValue?: number | undefined
  /** JSON text. */
  properties?: string | undefined
  recommendationId?: string | undefined
  impression?: string[] | undefined
}

export interface LogEntry {
  key: Buffer
  event: LoggedEvent
}

export interface Appended {
  /** The events that were new. */
  added: LogEntry[]
  /** Settled when the other events, which another call is writing just now, are safe, too. */
  others: Promise<void>
}

export interface AppendOptions {
  /** Where an event of the past has its place, in epoch ms; the end of the log where absent: what arrives late happened late to us. */
  timeOf?: (event: LoggedEvent) => number
  /** Told the keys as soon as they are settled. */
  onWriting?: (keys: Buffer[]) => void
}

export interface EventLog {
  /**
   * Writes the events that the log does not have yet, by their id, all or none. Resolves once they survive the end of this
   * process; the flush to the disk follows.
   * @throws DiskFullError, or what the disk says
   */
  append: (events: readonly LoggedEvent[], options?: AppendOptions) => Promise<Appended>
  /** The next entries, after a key. */
  read: (after: Buffer | undefined, limit: number) => LogEntry[]
  /** How many events it holds, those of other processes included. */
  readonly count: number
  /** Names the last import; empty where there was none. */
  readonly imported: string
  /** Says that an import has ended: events may have come anywhere in time. */
  markImported: () => Promise<void>
  close: () => Promise<void>
}

export interface EventLogOptions {
  /** Epoch milliseconds. */
  now: () => number
  /** Told what went wrong with removing the oldest. */
  onError: (error: unknown) => void
  /** Most events kept; past it the oldest go. */
  limit?: number
}

/** Once the log is full, this share of it is removed, so that it happens seldom. */
const pruneShare = 0.02
const pruneAtOnce = 2_000

const keyLength = 16

/**
 * Opens (or makes) an append-only log in LMDB: events in the order in which they arrived, imported ones where their time puts them.
 * Several processes may have it open.
 */
export async function openEventLog (directory: string, { now, onError, limit = 20_000_000 }: EventLogOptions): Promise<EventLog> {
  await mkdir(directory, { recursive: true })
  const { open } = await import('lmdb')
  const root: RootDatabase = open({ path: directory, maxDbs: 3 })
  const entries: Database<string, Buffer> = root.openDB('entries', { keyEncoding: 'binary', encoding: 'string' })
  const ids: Database<string, string> = root.openDB('ids', { encoding: 'string' })
  const meta: Database<string, string> = root.openDB('meta', { encoding: 'string' })
  // Events being written, by id: one that comes twice at once is written once, and both wait for it.
  const writing = new Map<string, Promise<void>>()
  const nextKey = keySequence()
  let pruning: Promise<void> | undefined
  const appending = new Set<Promise<Appended>>()

  const count = (): number => (entries.getStats() as { entryCount: number }).entryCount

  async function put (added: LogEntry[]): Promise<void> {
    const writes = new Set<Promise<unknown>>()
    for (const { key, event } of added) writes.add(entries.put(key, encode(event))).add(ids.put(event.eventId, ''))
    const written = committed(writes)
    for (const { event } of added) writing.set(event.eventId, written)
    try {
      await written
    } finally {
      for (const { event } of added) writing.delete(event.eventId)
    }
  }

  async function prune (): Promise<void> {
    const target = Math.floor(limit * (1 - pruneShare))
    for (let excess = count() - target; excess > 0; excess = count() - target) {
      const oldest = read(undefined, Math.min(pruneAtOnce, excess))
      await committed(oldest.flatMap(({ key, event }) => [entries.remove(key), ids.remove(event.eventId)]))
    }
  }

  function read (after: Buffer | undefined, limit: number): LogEntry[] {
    // Else what another process has just written might not be seen.
    root.resetReadTxn()
    const range = after === undefined ? { limit } : { start: after, exclusiveStart: true, limit }
    return [...entries.getRange(range)].map(({ key, value }) => ({ key: Buffer.from(key), event: decode(value) }))
  }

  async function append (events: readonly LoggedEvent[], { timeOf = now, onWriting }: AppendOptions = {}): Promise<Appended> {
    assertRoom(directory)
    const others = new Set<Promise<void>>()
    const fresh = new Map<string, LogEntry>()
    for (const event of events) {
      const other = writing.get(event.eventId)
      if (other !== undefined) others.add(other)
      else if (!fresh.has(event.eventId) && !ids.doesExist(event.eventId)) fresh.set(event.eventId, { key: nextKey(timeOf(event)), event })
    }
    const added = [...fresh.values()]
    onWriting?.(added.map(({ key }) => key))
    const waiting = Promise.all(others).then(() => {})
    waiting.catch(() => {})
    if (added.length > 0) await put(added)
    if (count() > limit) pruning ??= prune().catch(onError).finally(() => { pruning = undefined })
    return { added, others: waiting }
  }

  return {
    async append (events, options) {
      const own = append(events, options)
      appending.add(own)
      try {
        return await own
      } finally {
        appending.delete(own)
      }
    },
    read,
    get count () { return count() },
    get imported () {
      root.resetReadTxn()
      return meta.get('imported') ?? ''
    },
    async markImported () { await committed([meta.put('imported', randomUUID())]) },
    async close () {
      // lmdb does not survive being closed under a write.
      await Promise.allSettled(appending)
      await pruning
      await root.close()
    }
  }
}

/** Keys sort by time, then in the order of writing; a random part keeps processes apart. */
function keySequence (): (time: number) => Buffer {
  const processPart = Math.floor(Math.random() * 2 ** 32)
  let written = 0
  return time => {
    const key = Buffer.allocUnsafe(keyLength)
    key.writeUIntBE(Math.max(0, Math.trunc(time)), 0, 6)
    key.writeUIntBE(written++ % 2 ** 48, 6, 6)
    key.writeUInt32BE(processPart, 12)
    return key
  }
}

/** The time that a key sorts by, in epoch ms. */
export function timeOfKey (key: Buffer): number {
  return key.readUIntBE(0, 6)
}

function encode ({ eventId, userId, sessionId, itemId, eventType, sentAt, ...rest }: LoggedEvent): string {
  return JSON.stringify([eventId, userId ?? null, sessionId ?? null, itemId, eventType, sentAt, rest])
}

function decode (text: string): LoggedEvent {
  const [eventId, userId, sessionId, itemId, eventType, sentAt, rest] = JSON.parse(text) as
    [string, string | null, string | null, string, string, number, Partial<LoggedEvent>]
  return { eventId, userId: userId ?? undefined, sessionId: sessionId ?? undefined, itemId, eventType, sentAt, ...rest }
}
