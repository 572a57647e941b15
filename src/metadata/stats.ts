import type { Undecorated } from './store.ts'

/** Counters of lookups in DynamoDB, since the process started. */
export interface MetadataStats {
  calls: number
  /** Calls that DynamoDB throttled, or that left keys unprocessed. */
  throttled: number
  /** Keys that were requested again. */
  retriedKeys: number
  /** Incomplete lookups, by reason. */
  failed: Record<Undecorated, number>
  /** Items that were in the memory cache, as present or as missing. */
  cacheHits: number
}

/** Returns counters at zero. */
export function createMetadataStats (): MetadataStats {
  return { calls: 0, throttled: 0, retriedKeys: 0, failed: { timeout: 0, throttled: 0, unavailable: 0 }, cacheHits: 0 }
}
