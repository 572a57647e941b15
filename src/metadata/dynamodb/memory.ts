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

/** All that a process remembers of the items of a table, told of items that were put there. */
export interface Memories {
  /** @returns what ends it */
  add: (learn: Learn) => () => void
  learn: Learn
}

type Learn = (itemId: string, metadata: string) => void

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
 * Keeps what was looked up in memory for a while, also that there is no such item.
 * @returns beside the lookup, what tells it of an item that was put: asked at once, the table may still answer with the one before
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

  // What was looked up before an item was put may be the item before.
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
