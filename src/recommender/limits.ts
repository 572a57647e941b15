/**
 * The most an index holds; past each of them the oldest goes first. They bound memory to about 2.5 GB at worst
 * (see bench/recommender.ts). Ring sizes are powers of two.
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
  /** Interactions of one user that a query looks back over. */
  lookBack: number
}

export const defaultLimits: IndexLimits = {
  items: 1_000_000,
  users: 2_000_000,
  histories: 2 ** 22,
  interactions: 2 ** 24,
  postings: 5_000,
  historyItems: 200,
  lookBack: 10_000
}
