import type { Undecorated } from './store.ts'

/** What became of lookups in DynamoDB, since the process began. */
export interface MetadataStats {
  calls: number
  /** Calls that were refused for their rate, or left keys undone. */
  throttled: number
  /** Keys that were asked for again. */
  retriedKeys: number
  /** Lookups that did not get everything, by the reason. */
  failed: Record<Undecorated, number>
  /** Items that memory knew, or knew to be missing. */
  cacheHits: number
}

export function createMetadataStats (): MetadataStats {
  return { calls: 0, throttled: 0, retriedKeys: 0, failed: { timeout: 0, throttled: 0, unavailable: 0 }, cacheHits: 0 }
}
