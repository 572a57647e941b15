/** The ways in which the cache obtains an answer. Each served answer counts once. */
const outcomes = ['hit-memory', 'hit-redis', 'stale-while-revalidate', 'stale-if-error', 'miss', 'collapsed', 'bypass'] as const
export type Outcome = typeof outcomes[number]

/** The results of look-ups since the process began. */
export interface CacheStats {
  served: Record<Outcome, number>
  /** Entries that were found but that an event had outdated. */
  outdated: number
  /** Failed attempts to make an answer without a stale answer to serve instead. */
  failures: number
  /** Look-ups that went on without Redis because it was away. */
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
