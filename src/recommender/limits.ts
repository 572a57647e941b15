/**
 * The most an index holds; past each of them the oldest goes first. Bench/recommender.ts tells what it takes. There is an index for
 * each set of event weights in a namespace, and a second one while it is learned anew.
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
  /** Distinct items of one user that a query looks back over. */
  lookBack: number
  /** How many interactions are walked through for each item looked for, those met again and again included. */
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
