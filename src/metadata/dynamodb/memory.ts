import { LRUCache } from 'lru-cache'
import type { MetadataStats } from '../stats.ts'
import { ItemMetadataError, type ItemMetadataStore } from '../store.ts'

type Get = (itemIds: readonly string[], signal: AbortSignal) => Promise<ReadonlyMap<string, string>>

export interface MemoryOptions {
  /** In seconds. */
  ttl: number
  maxItems: number
  /** Milliseconds on a steady clock. */
  now: () => number
  stats: MetadataStats
}

/** Limit of all metadata in memory, in characters. Beyond it, the least recently used items are evicted. */
const maxCharacters = 64 * 1024 * 1024

/** Estimated size of an entry without its id and metadata, in characters. */
const overhead = 200

/** Marks an item that the table does not have. No JSON text is empty. */
const missing = ''

/** All caches of one table's items in this process. `learn` tells all of them about an item that was put. */
export interface Memories {
  /** Registers a cache. @returns a function that removes it */
  add: (learn: Learn) => () => void
  learn: Learn
}

type Learn = (itemId: string, metadata: string) => void

/** Creates an empty set of caches. */
export function createMemories (): Memories {
  const all = new Set<Learn>()
  return {
    add (learn) {
      all.add(learn)
      return () => { all.delete(learn) }
    },
    learn (itemId, metadata) { for (const learn of all) learn(itemId, metadata) }
  }
}

/**
 * Caches the results of a lookup for `ttl` seconds, also that an item does not exist.
 * @returns the cached lookup, and `learn`, which caches an item that was just put, as the table may still answer with the previous one
 */
export function remember (get: Get, { ttl, maxItems, now, stats }: MemoryOptions): { get: ItemMetadataStore['get'], learn: Learn } {
  const known = new LRUCache<string, string>({
    max: maxItems,
    maxSize: maxCharacters,
    sizeCalculation: (metadata, itemId) => overhead + itemId.length + metadata.length,
    ttl: ttl * 1000,
    ttlResolution: 0,
    perf: { now }
  })

  // Puts so far. A lookup that began before a put may return the previous item, so that its result is not cached.
  let learned = 0

  async function lookUp (itemIds: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    const before = learned
    try {
      const found = await get(itemIds, signal)
      if (learned === before) for (const itemId of itemIds) known.set(itemId, found.get(itemId) ?? missing)
      return found
    } catch (error) {
      if (error instanceof ItemMetadataError && learned === before) for (const [itemId, metadata] of error.found) known.set(itemId, metadata)
      throw error
    }
  }

  async function getKnown (itemIds: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    const found = new Map<string, string>()
    const unknown: string[] = []
    for (const itemId of new Set(itemIds)) {
      const metadata = known.get(itemId)
      if (metadata === undefined) unknown.push(itemId)
      else if (metadata !== missing) found.set(itemId, metadata)
      if (metadata !== undefined) stats.cacheHits++
    }
    if (unknown.length === 0) return found
    try {
      for (const [itemId, metadata] of await lookUp(unknown, signal)) found.set(itemId, metadata)
      return found
    } catch (error) {
      throw error instanceof ItemMetadataError ? new ItemMetadataError(error.reason, new Map([...found, ...error.found]), { cause: error.cause }) : error
    }
  }

  return {
    get: getKnown,
    learn (itemId, metadata) {
      learned++
      known.set(itemId, metadata)
    }
  }
}
