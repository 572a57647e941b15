import { logGamma, upperGamma } from './gamma.ts'

/** The users that each variation has, beside the share that it should have. Variations without a share are left out. */
export interface Split {
  readonly users: number
  /** From 0 to 1; those of all variations sum to 1. */
  readonly share: number
}

/** The level of both tests: a mismatch is a fault in the experiment, and crying wolf costs its credit. */
export const mismatchAlpha = 0.001

/** The weight of the expected shares in the prior: that of so many users. */
const concentration = 100

/** Returns the p-value of Pearson's χ² test of the split: a check for a single look. */
export function splitProbability (splits: readonly Split[]): number {
  const expected = splits.filter(({ share }) => share > 0)
  const total = expected.reduce((sum, { users }) => sum + users, 0)
  if (total === 0 || expected.length < 2) return 1
  const chi2 = expected.reduce((sum, { users, share }) => sum + (users - total * share) ** 2 / (total * share), 0)
  return upperGamma((expected.length - 1) / 2, chi2 / 2)
}

/**
 * Returns the Bayes factor against the intended split, which may be watched at all times: it exceeds 1/α in at most a share α of all
 * sound experiments. A Dirichlet prior around the shares against the shares themselves (Lindon and Malek, arXiv 2011.03567).
 */
export function mismatchFactor (splits: readonly Split[]): number {
  const expected = splits.filter(({ share }) => share > 0)
  const total = expected.reduce((sum, { users }) => sum + users, 0)
  const log = expected.reduce((sum, { users, share }) =>
    sum + logGamma(concentration * share + users) - logGamma(concentration * share) - users * Math.log(share),
  logGamma(concentration) - logGamma(concentration + total))
  return Math.exp(log)
}

/** Returns whether the alarm of a mismatch stands. */
export function isMismatch (splits: readonly Split[]): boolean {
  return mismatchFactor(splits) > 1 / mismatchAlpha
}
