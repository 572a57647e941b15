/** Users of both variations at which the interval is narrowest, relative to a fixed one. */
export const expectedUsers = 20_000

export interface SequentialOptions {
  /** The share of experiments without a difference that may ever show one. */
  alpha?: number
  /** `expectedUsers`, unless the experiment is expected to be much smaller or larger. */
  expected?: number
}

export interface Sequential {
  /** Half the width of the interval around the estimate; the true value is inside of it at all times, in 1 − alpha of all experiments. */
  readonly halfWidth: number
  /** The always-valid p-value of "no difference", from this look alone. */
  readonly p: number
}

/**
 * Returns the always-valid interval and p-value of an estimate: the asymptotic confidence sequence of Waudby-Smith et al., arXiv
 * 2103.06476, equation 9. It may be looked at as often as one likes.
 * @param estimate the difference, and its standard error
 * @param users those of both variations together
 */
export function sequential ({ value, error }: { value: number, error: number }, users: number, { alpha = 0.05, expected = expectedUsers }: SequentialOptions = {}): Sequential {
  const rho2 = (-2 * Math.log(alpha) + Math.log(1 - 2 * Math.log(alpha))) / expected
  const spread = users * rho2 + 1
  const halfWidth = error * Math.sqrt(users) * Math.sqrt(2 * spread / (users * users * rho2) * Math.log(Math.sqrt(spread) / alpha))
  const z = value / error
  const evidence = Math.exp(z * z * users * rho2 / (2 * spread)) / Math.sqrt(spread)
  return { halfWidth, p: error === 0 ? (value === 0 ? 1 : 0) : Math.min(1, 1 / evidence) }
}
