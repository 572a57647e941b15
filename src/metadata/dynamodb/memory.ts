import { LRUCache } from 'lru-cache'
import type { MetadataStats } from '../stats.ts'
import { ItemMetadataError, type ItemMetadataStore } from '../store.ts'

type Get = (itemIds: readonly string[], signal: AbortSignal) => Promise<ReadonlyMap<string, string>>

export interface MemoryOptions {
  /** In seconds. */
  ttl: number
  maxItems: number
  /** Epoch milliseconds. */
  now: () => number
  stats: MetadataStats
}

/** All metadata in memory, in characters: past it the least recently used go. */
const maxCharacters = 64 * 1024 * 1024

/** What an entry takes beside its texts, roughly. */
const overhead = 200

/** What no JSON text is: the item is not there. */
const missing = ''

/** Keeps what was looked up in memory for a while, also that there is no such item. */
export function remember (get: Get, { ttl, maxItems, now, stats }: MemoryOptions): ItemMetadataStore['get'] {
  const known = new LRUCache<string, string>({
    max: maxItems,
    maxSize: maxCharacters,
    sizeCalculation: (metadata, itemId) => overhead + itemId.length + metadata.length,
    ttl: ttl * 1000,
    ttlResolution: 0,
    perf: { now }
  })

  async function lookUp (itemIds: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    try {
      const found = await get(itemIds, signal)
      for (const itemId of itemIds) known.set(itemId, found.get(itemId) ?? missing)
      return found
    } catch (error) {
      if (error instanceof ItemMetadataError) for (const [itemId, metadata] of error.found) known.set(itemId, metadata)
      throw error
    }
  }

  return async (itemIds, signal) => {
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
}
