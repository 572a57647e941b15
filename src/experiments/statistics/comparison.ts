import { sequential } from './sequential.ts'

/** The sums of a metric over the users exposed to a variation. A user counts once, with the sum of its values. */
export interface Sums {
  readonly users: number
  /** The users with a value other than 0. */
  readonly converted: number
  readonly sum: number
  readonly squares: number
}

/** Before each variation has so many of these, the approximation behind the interval does not hold, and nothing is shown. */
export const least = { users: 100, converted: 5, notConverted: 5 }

export interface Comparison {
  /** The relative difference to the base: 0.1 for 10 % more. */
  readonly lift: number
  /** The always-valid interval of the lift. */
  readonly from: number
  readonly to: number
  /** The always-valid p-value. */
  readonly p: number
}

/** Returns the mean per user and the variance of that mean. */
export function meanOf ({ users, sum, squares }: Sums): { mean: number, variance: number } {
  const mean = sum / users
  return { mean, variance: users < 2 ? 0 : Math.max(0, (squares - users * mean * mean) / (users - 1) / users) }
}

/** Returns whether a variation has enough data to be compared. */
export function isEnough ({ users, converted }: Sums): boolean {
  return users >= least.users && converted >= least.converted && users - converted >= least.notConverted
}

/**
 * Returns the lift of a variation against the base; undefined while there is too little data, or where a ratio to the base means nothing:
 * it is within three standard errors of 0, or below 0. The variance of the ratio is by the delta method.
 * @param comparisons how many variations are compared with the base: the level is divided by it (Bonferroni)
 */
export function compare (base: Sums, other: Sums, { alpha = 0.05, comparisons = 1, expected }: { alpha?: number, comparisons?: number, expected?: number | undefined } = {}): Comparison | undefined {
  if (!isEnough(base) || !isEnough(other)) return undefined
  const a = meanOf(base)
  const b = meanOf(other)
  if (a.mean <= 3 * Math.sqrt(a.variance)) return undefined
  const lift = b.mean / a.mean - 1
  const error = Math.sqrt(b.variance / a.mean ** 2 + b.mean ** 2 * a.variance / a.mean ** 4)
  const { halfWidth, p } = sequential({ value: lift, error }, base.users + other.users, { alpha: alpha / comparisons, ...(expected === undefined ? {} : { expected }) })
  return { lift, from: lift - halfWidth, to: lift + halfWidth, p: Math.min(1, p * comparisons) }
}
