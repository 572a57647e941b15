import { LRUCache } from 'lru-cache'
import type { Encoding, Representation } from './content-encoding.ts'
import type { Entry } from './entry.ts'

/** An entry in memory, with the data to decide whether an event has outdated it. */
export interface Kept extends Entry {
  /** The slot of the user that the entry was made for (see UserVersions); negative if no user's events matter. */
  readonly slot: number
  /** The count of events when the making of the entry began. */
  readonly begunAt: number
  /** The version of the user's events in the shared tier under which the entry was made; undefined if that tier did not return one. */
  readonly version: string | undefined
  /** The earliest time, in ms on the steady clock, of the next attempt to renew the entry; present if the last attempt failed. */
  readonly renewAt?: number
  /** The reason why the last attempt to renew the entry failed. */
  readonly renewalFailure?: string | undefined
}

export interface MemoryTier {
  get: (key: string) => Kept | undefined
  /** Returns an entry without counting as a use. */
  peek: (key: string) => Kept | undefined
  /** Stores an entry. @returns false if the entry alone is larger than the tier */
  set: (key: string, entry: Kept) => boolean
  /**
   * Stores an encoded body beside the plain one. Does nothing if the entry has been evicted or replaced meanwhile. If the entry with the
   * encoded body would be larger than the tier, stores null, as for an encoding that saves nothing.
   */
  addEncoded: (key: string, entry: Kept, encoding: Encoding, representation: Representation | null) => void
  readonly entries: number
  readonly bytes: number
  /** The number of entries evicted so far to make room. */
  readonly evictions: number
}

/** The measured size, in bytes, of an entry without its texts: objects, numbers and its place in the tables. */
const overhead = 900
const encodedOverhead = 300

function sizeOf ({ body, encoded }: Entry, key: string): number {
  return overhead + 2 * key.length + body.length + sizeOfEncoded(encoded?.br) + sizeOfEncoded(encoded?.gzip)
}

function sizeOfEncoded (representation: Representation | null | undefined): number {
  return representation == null ? 0 : encodedOverhead + representation.body.length
}

/** Returns an empty memory tier. @param maxBytes the size above which the tier evicts the least recently used entries */
export function createMemoryTier (maxBytes: number): MemoryTier {
  let evictions = 0
  const entries = new LRUCache<string, Kept>({
    maxSize: maxBytes,
    sizeCalculation: sizeOf,
    dispose: (_entry, _key, reason) => { if (reason === 'evict') evictions++ }
  })
  return {
    get: key => entries.get(key),
    peek: key => entries.peek(key),
    set: (key, entry) => entries.set(key, entry).has(key),
    addEncoded (key, { body }, encoding, representation) {
      const kept = entries.peek(key)
      if (kept?.body !== body) return
      const fits = representation !== null && sizeOf(kept, key) + sizeOfEncoded(representation) <= maxBytes
      entries.set(key, { ...kept, encoded: { ...kept.encoded, [encoding]: fits ? representation : null } })
    },
    get entries () { return entries.size },
    get bytes () { return entries.calculatedSize },
    get evictions () { return evictions }
  }
}
