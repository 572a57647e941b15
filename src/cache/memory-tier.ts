import { LRUCache } from 'lru-cache'
import type { Encoding, Representation } from './content-encoding.ts'
import type { Entry } from './entry.ts'

/** An entry in memory, with what says whether an event has outdated it. */
export interface Kept extends Entry {
  /** Of the user it was made for (see UserVersions); negative where no user's events matter. */
  readonly slot: number
  /** The count of events when its making began. */
  readonly begunAt: number
  /** The version of the user's events under which it was made, as the shared tier has it; undefined where it does not tell. */
  readonly version: string | undefined
  /** Making it anew failed, and is not tried again before this time, in epoch ms. */
  readonly renewAt?: number
  /** Why it failed. */
  readonly renewalFailure?: string | undefined
}

export interface MemoryTier {
  get: (key: string) => Kept | undefined
  /** The same, without counting as a use. */
  peek: (key: string) => Kept | undefined
  /** @returns whether there is room for it at all */
  set: (key: string, entry: Kept) => boolean
  /**
   * Keeps an encoded body beside the plain one. It does nothing if that has been evicted or replaced meanwhile. A body for which there
   * is no room at all counts as one that is not worth it.
   */
  addEncoded: (key: string, entry: Kept, encoding: Encoding, representation: Representation | null) => void
  readonly entries: number
  readonly bytes: number
  /** How many had to go to make room, so far. */
  readonly evictions: number
}

/** What an entry takes beside its texts, as measured: objects, numbers, its place in the tables. */
const overhead = 900
const encodedOverhead = 300

function sizeOf ({ body, encoded }: Entry, key: string): number {
  return overhead + 2 * key.length + body.length + sizeOfEncoded(encoded?.br) + sizeOfEncoded(encoded?.gzip)
}

function sizeOfEncoded (representation: Representation | null | undefined): number {
  return representation == null ? 0 : encodedOverhead + representation.body.length
}

/** @param maxBytes past it the least recently used go */
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
