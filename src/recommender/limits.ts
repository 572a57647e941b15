/**
 * Limits of one index; beyond each, the oldest entries are evicted. bench/recommender.ts measures the memory. A namespace has an index
 * per set of event weights, and a second one while an index is rebuilt.
 */
export interface IndexLimits {
  /** Distinct items. */
  items: number
  /** Distinct users. */
  users: number
  /** Histories (sessions). */
  histories: number
  /** Interactions: one per item and history. */
  interactions: number
  /** Most recent histories kept per item; the largest `sampleSize` that a query can ask for. */
  postings: number
  /** Distinct items of one history. */
  historyItems: number
  /** Distinct items of one user that a query reads, at most. */
  lookBack: number
  /** Interactions that a walk may visit per item, repeated ones included. */
  stepsPerItem: number
}

export const defaultLimits: IndexLimits = {
  items: 1_000_000,
  users: 2_000_000,
  histories: 2 ** 22,
  interactions: 2 ** 24,
  postings: 5_000,
  historyItems: 200,
  lookBack: 10_000,
  stepsPerItem: 10
}
