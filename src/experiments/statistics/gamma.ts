/** The coefficients of Lanczos' approximation for g = 7, n = 9 (Numerical Recipes, 3rd edition, section 6.1). */
const coefficients = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313,
  -176.61502916214059, 12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7
]

/** Returns the natural logarithm of the gamma function of x > 0. */
export function logGamma (x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x)
  let sum = coefficients[0]!
  for (let i = 1; i < coefficients.length; i++) sum += coefficients[i]! / (x - 1 + i)
  const t = x + 6.5
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(sum)
}

/** Returns the regularised upper incomplete gamma function Q(a, x), for a > 0 and x ≥ 0 (Numerical Recipes, section 6.2). */
export function upperGamma (a: number, x: number): number {
  if (x <= 0) return 1
  const scale = Math.exp(a * Math.log(x) - x - logGamma(a))
  return x < a + 1 ? 1 - scale * series(a, x) : scale * continuedFraction(a, x)
}

const precision = 1e-15
const mostTerms = 1_000

function series (a: number, x: number): number {
  let term = 1 / a
  let sum = term
  for (let n = 1; n < mostTerms && term > sum * precision; n++) sum += term *= x / (a + n)
  return sum
}

/** Evaluates the continued fraction of Q by Lentz's method. */
function continuedFraction (a: number, x: number): number {
  const tiny = Number.MIN_VALUE / precision
  let b = x + 1 - a
  let c = 1 / tiny
  let d = 1 / b
  let value = d
  for (let n = 1; n < mostTerms; n++) {
    const numerator = -n * (n - a)
    b += 2
    d = 1 / (numerator * d + b || tiny)
    c = b + numerator / c || tiny
    value *= c * d
    if (Math.abs(c * d - 1) < precision) break
  }
  return value
}
