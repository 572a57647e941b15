/** How an answer was come by. Each one served counts once. */
const outcomes = ['hit-memory', 'hit-redis', 'stale-while-revalidate', 'stale-if-error', 'miss', 'collapsed', 'bypass'] as const
export type Outcome = typeof outcomes[number]

/** What became of lookups, since the process began. */
export interface CacheStats {
  served: Record<Outcome, number>
  /** Entries found, but outdated by an event. */
  outdated: number
  /** Making an answer failed, and there was nothing stale to serve. */
  failures: number
  /** Lookups that did without Redis, since it was away. */
  withoutRedis: number
  redisErrors: number
}

export function createCacheStats (): CacheStats {
  return {
    served: Object.fromEntries(outcomes.map(outcome => [outcome, 0])) as Record<Outcome, number>,
    outdated: 0,
    failures: 0,
    withoutRedis: 0,
    redisErrors: 0
  }
}
