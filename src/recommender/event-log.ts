import { hash, randomUUID } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import type { Database, RootDatabase } from 'lmdb'
import { ownedId } from '../base/owned-id.ts'
import { assertRoom, committed } from '../connections/lmdb.ts'

/** An interaction in the log, complete enough to train another recommender. */
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

/** An entry that is to be written. */
interface Fresh extends LogEntry {
  /** The key of its event among the ids. */
  readonly idKey: Buffer
}

export interface Appended {
  /** The new events. */
  added: LogEntry[]
  /** Settles once the other events, which a concurrent call is writing, are committed. */
  others: Promise<void>
}

export interface AppendOptions {
  /** Returns the time by which an event is placed in the log, in epoch ms. Default: now, which is the end of the log. */
  timeOf?: (event: LoggedEvent) => number
  /** Receives the keys of the new events before they are written. */
  onWriting?: (keys: Buffer[]) => void
}

export interface EventLog {
  /**
   * Writes the events that the log does not have yet, all or none. The log knows an event by its id and its owner (see `ownedId`). Resolves
   * once they are committed, so that they survive the end of this process; the flush to the disk follows.
   * @throws DiskFullError, or Error if the disk refuses the write
   */
  append: (events: readonly LoggedEvent[], options?: AppendOptions) => Promise<Appended>
  /** Returns the next entries after a key, or the first ones. */
  read: (after: Buffer | undefined, limit: number) => LogEntry[]
  /** The number of events in the log, including those of other processes. */
  readonly count: number
  /** Random id of the last import; empty before the first. */
  readonly imported: string
  /** Records that an import has ended. Its events may be anywhere in the log. */
  markImported: () => Promise<void>
  close: () => Promise<void>
}

export interface EventLogOptions {
  /** Epoch milliseconds. */
  now: () => number
  /** Receives errors of removing the oldest events. */
  onError: (error: unknown) => void
  /** Events kept, at most; beyond it the oldest are removed. */
  limit?: number
}

/** Share of a full log that is removed at once, so that removals are rare. */
const pruneShare = 0.02
const pruneAtOnce = 2_000

const keyLength = 16

/**
 * The address space that is set apart for a log, in bytes. LMDB maps a log that outgrows it anew, and keeps the old maps for a while: then
 * its pages count several times for the memory of the process.
 */
const mapSize = 4 * 1024 ** 3

/**
 * Opens or creates an append-only log in LMDB: events in the order of arrival, imported events by their time.
 * Several processes may open the same log.
 */
export async function openEventLog (directory: string, { now, onError, limit = 20_000_000 }: EventLogOptions): Promise<EventLog> {
  await mkdir(directory, { recursive: true })
  const { open } = await import('lmdb')
  const root: RootDatabase = open({ path: directory, maxDbs: 4, mapSize })
  const entries: Database<string, Buffer> = root.openDB('entries', { keyEncoding: 'binary', encoding: 'string' })
  const ids: Database<string, Buffer> = root.openDB('owned-ids', { keyEncoding: 'binary', encoding: 'string' })
  const meta: Database<string, string> = root.openDB('meta', { encoding: 'string' })
  // Events being written, by `ownedId`. If two calls append the same event at once, it is written once, and both calls wait for it.
  const writing = new Map<string, Promise<void>>()
  const nextKey = keySequence()
  let pruning: Promise<void> | undefined
  const appending = new Set<Promise<Appended>>()

  const sizeOf = (database: Database<string, Buffer>): number => (database.getStats() as { entryCount: number }).entryCount
  const count = (): number => sizeOf(entries)

  /** Gives an older log, which knows its events by their ids alone, the ids with their owners. Another process may do the same at once. */
  function adoptOlderLog (): void {
    const isOlder = (): boolean => count() > 0 && sizeOf(ids) === 0
    if (!isOlder()) return
    assertRoom(directory)
    const olderIds = root.openDB('ids', { encoding: 'string' })
    root.transactionSync(() => {
      if (!isOlder()) return
      for (const { value } of entries.getRange()) ids.putSync(keyOf(decode(value)), '')
      olderIds.clearSync()
    })
  }

  /** Writes entries. @param fresh by `ownedId` */
  async function put (fresh: ReadonlyMap<string, Fresh>): Promise<void> {
    const writes = new Set<Promise<unknown>>()
    for (const { key, event, idKey } of fresh.values()) writes.add(entries.put(key, encode(event))).add(ids.put(idKey, ''))
    const written = committed(writes)
    for (const id of fresh.keys()) writing.set(id, written)
    try {
      await written
    } finally {
      for (const id of fresh.keys()) writing.delete(id)
    }
  }

  async function prune (): Promise<void> {
    const target = Math.floor(limit * (1 - pruneShare))
    for (let excess = count() - target; excess > 0; excess = count() - target) {
      const oldest = read(undefined, Math.min(pruneAtOnce, excess))
      await committed(oldest.flatMap(({ key, event }) => [entries.remove(key), ids.remove(keyOf(event))]))
    }
  }

  function read (after: Buffer | undefined, limit: number): LogEntry[] {
    // Without the reset, the read transaction might not see the latest writes of other processes.
    root.resetReadTxn()
    const range = after === undefined ? { limit } : { start: after, exclusiveStart: true, limit }
    return [...entries.getRange(range)].map(({ key, value }) => ({ key: Buffer.from(key), event: decode(value) }))
  }

  async function append (events: readonly LoggedEvent[], { timeOf = now, onWriting }: AppendOptions = {}): Promise<Appended> {
    assertRoom(directory)
    // Without the reset, the look-up might not see the latest events of other processes.
    root.resetReadTxn()
    const others = new Set<Promise<void>>()
    const fresh = new Map<string, Fresh>()
    for (const event of events) {
      const id = ownedId(event)
      const other = writing.get(id)
      if (other !== undefined) others.add(other)
      if (other !== undefined || fresh.has(id)) continue
      const idKey = keyOf(event)
      if (!ids.doesExist(idKey)) fresh.set(id, { key: nextKey(timeOf(event)), event, idKey })
    }
    const added = [...fresh.values()]
    onWriting?.(added.map(({ key }) => key))
    const waiting = Promise.all(others).then(() => {})
    waiting.catch(() => {})
    if (added.length > 0) await put(fresh)
    if (count() > limit) pruning ??= prune().catch(onError).finally(() => { pruning = undefined })
    return { added, others: waiting }
  }

  adoptOlderLog()
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
      // lmdb crashes if it is closed during a write.
      await Promise.allSettled(appending)
      await pruning
      await root.close()
    }
  }
}

/** Returns the key of an event among the ids. It is a hash: an id and its owner are together too long for a key of LMDB. */
function keyOf (event: LoggedEvent): Buffer {
  // The hash is over JSON, since all halves of surrogate pairs are the same in UTF-8.
  return hash('sha1', JSON.stringify(ownedId(event)), 'buffer')
}

/** Returns a generator of keys that sort by time, then by order of writing. A random part makes the keys of processes distinct. */
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

/** Returns the time in a key, in epoch ms. */
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
