import { mkdir } from 'node:fs/promises'
import { open, type Database, type RootDatabase } from 'lmdb'
import { assertRoom, committed } from '../lmdb.ts'

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
  properties?: string | undefined
  recommendationId?: string | undefined
  impression?: string[] | undefined
}

export interface LogEntry {
  key: Buffer
  event: LoggedEvent
}

export interface EventLog {
  /**
   * Writes the events that the log does not have yet, by their id, all or none. Resolves once they survive the end of this
   * process; they are on the disk at most 100 ms later.
   * @param onWriting told the keys as soon as they are settled
   * @returns the events that were new
   * @throws DiskFullError, or what the disk says
   */
  append: (events: readonly LoggedEvent[], onWriting?: (keys: Buffer[]) => void) => Promise<LogEntry[]>
  /** The next entries in the order of time, after a key. */
  read: (after: Buffer | undefined, limit: number) => LogEntry[]
  readonly count: number
  /** Rises whenever events were added behind the running server's back. */
  readonly generation: number
  announce: () => Promise<void>
  close: () => Promise<void>
}

export interface EventLogOptions {
  /** Most events kept; past it the oldest go. */
  limit?: number
}

/** Removed at once when the log is full, so that it happens seldom. */
const pruneShare = 0.02
const pruneAtOnce = 10_000

const keyLength = 16

/** Opens (or makes) an append-only log in LMDB, ordered by time. Several processes may have it open. */
export async function openEventLog (directory: string, { limit = 20_000_000 }: EventLogOptions = {}): Promise<EventLog> {
  await mkdir(directory, { recursive: true })
  const root: RootDatabase = open({ path: directory, maxDbs: 3 })
  const entries: Database<string, Buffer> = root.openDB('entries', { keyEncoding: 'binary', encoding: 'string' })
  const ids: Database<string, string> = root.openDB('ids', { encoding: 'string' })
  const meta: Database<number, string> = root.openDB('meta', { encoding: 'json' })
  // Events being written, by id: one that comes twice at once is written once, and both wait for it.
  const writing = new Map<string, Promise<unknown>>()
  const nextKey = keySequence()

  function put (added: LogEntry[]): Promise<void> {
    const writes = new Set<Promise<unknown>>()
    for (const { key, event } of added) writes.add(entries.put(key, encode(event))).add(ids.put(event.eventId, ''))
    const written = committed(writes).finally(() => { for (const { event } of added) writing.delete(event.eventId) })
    for (const { event } of added) writing.set(event.eventId, written)
    return written
  }

  async function prune (): Promise<void> {
    let excess = entries.getStats() as { entryCount: number }
    if (excess.entryCount <= limit) return
    const target = Math.floor(limit * (1 - pruneShare))
    while (excess.entryCount > target) {
      await committed(read(undefined, Math.min(pruneAtOnce, excess.entryCount - target))
        .flatMap(({ key, event }) => [entries.remove(key), ids.remove(event.eventId)]))
      excess = entries.getStats() as { entryCount: number }
    }
  }

  function read (after: Buffer | undefined, count: number): LogEntry[] {
    const range = after === undefined ? { limit: count } : { start: after, exclusiveStart: true, limit: count }
    return [...entries.getRange(range)].map(({ key, value }) => ({ key: Buffer.from(key), event: decode(key, value) }))
  }

  return {
    async append (events, onWriting) {
      assertRoom(directory)
      const waiting = new Set<Promise<unknown>>()
      const fresh = new Map<string, LogEntry>()
      for (const event of events) {
        const other = writing.get(event.eventId)
        if (other !== undefined) waiting.add(other)
        else if (!fresh.has(event.eventId) && !ids.doesExist(event.eventId)) fresh.set(event.eventId, { key: nextKey(event.sentAt), event })
      }
      const added = [...fresh.values()]
      onWriting?.(added.map(({ key }) => key))
      if (added.length > 0) waiting.add(put(added))
      await Promise.all(waiting)
      await prune()
      return added
    },
    read,
    get count () { return (entries.getStats() as { entryCount: number }).entryCount },
    get generation () { return meta.get('generation') ?? 0 },
    announce: async () => committed([meta.put('generation', (meta.get('generation') ?? 0) + 1)]),
    close: async () => root.close()
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

function encode ({ eventId, userId, sessionId, itemId, eventType, sentAt: _, ...rest }: LoggedEvent): string {
  return JSON.stringify([eventId, userId ?? null, sessionId ?? null, itemId, eventType, rest])
}

function decode (key: Buffer, text: string): LoggedEvent {
  const [eventId, userId, sessionId, itemId, eventType, rest] = JSON.parse(text) as
    [string, string | null, string | null, string, string, Partial<LoggedEvent>]
  return { eventId, userId: userId ?? undefined, sessionId: sessionId ?? undefined, itemId, eventType, sentAt: key.readUIntBE(0, 6), ...rest }
}
