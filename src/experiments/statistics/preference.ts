import type { Sums } from './comparison.ts'
import { sequential } from './sequential.ts'

/** Before so many users were exposed, and so many of them showed a difference, no preference is shown. */
export const leastPreference = { users: 100, decided: 50 }

/** With fewer users for one of the sides, the variance of the signs cannot be estimated. */
const leastOfASide = 5

export interface Preference {
  /** The share of the users with a difference that prefer the second variation, from 0 to 1. */
  readonly share: number
  /** The always-valid interval of the share. */
  readonly from: number
  readonly to: number
  /** The always-valid p-value of "no preference". */
  readonly p: number
}

/**
 * Returns the preference for the second of two interleaved variations; undefined while there is too little data. Each user with a
 * difference is one observation: 1 for the second variation, -1 for the first. Users without a difference say nothing.
 * @param sums over the signs: `converted` users with a difference, `sum` those for the second minus those for the first
 */
export function preferenceOf ({ users, converted: decided, sum }: Sums, { alpha = 0.05 }: { alpha?: number } = {}): Preference | undefined {
  if (users < leastPreference.users || decided < leastPreference.decided) return undefined
  const mean = sum / decided
  const smaller = (decided - Math.abs(sum)) / 2
  // Where nearly all agree, the variance is taken as that of a fair coin, which is the largest one.
  const variance = smaller < leastOfASide ? 1 : 1 - mean * mean
  const { halfWidth, p } = sequential({ value: mean, error: Math.sqrt(variance / decided) }, decided, { alpha })
  const share = (1 + mean) / 2
  return { share, from: Math.max(0, share - halfWidth / 2), to: Math.min(1, share + halfWidth / 2), p }
}
