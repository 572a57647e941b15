import { least, type Comparison, type Sums } from './statistics/comparison.ts'
import { mismatchAlpha } from './statistics/mismatch.ts'
import { leastPreference, type Preference } from './statistics/preference.ts'

type Named = Sums & { readonly variation: string }

/** Returns a comparison in a sentence. */
export function comparisonSentence ({ lift, from, to }: Comparison): string {
  const between = `between ${signed(from)} and ${signed(to)}`
  if (from > 0) return `better by ${percent(lift)}: ${between}`
  if (to < 0) return `worse by ${percent(-lift)}: ${between}`
  return `no difference yet: ${between}`
}

/** Returns why two variations are not compared yet: what they lack, or that the ratio to the base means nothing. */
export function noComparisonSentence (base: Named, other: Named): string {
  const lacking = [base, other].map(named => ({ named, lacks: lacksOf(named) })).filter(({ lacks }) => lacks.length > 0)
  if (lacking.length > 0) return `too little data: ${lacking.map(({ named, lacks }) => `${named.variation} has ${listed(lacks)}`).join('; ')}`
  return `too little data: the mean of ${base.variation} is not above 0 by more than three standard errors, so a ratio to it means nothing`
}

function lacksOf ({ users, converted }: Sums): string[] {
  const of = (has: number, needed: number, what: string): string[] => has >= needed ? [] : [`${count(Math.max(0, has))} of ${needed} ${what}`]
  return [...of(users, least.users, 'users'), ...of(converted, least.converted, 'conversions'), ...of(users - converted, least.notConverted, 'users without a conversion')]
}

/** Returns a preference in a sentence; undefined preference: what is missing. */
export function preferenceSentence (preference: Preference | undefined, [first, second]: readonly [string, string], { users, converted }: Sums): string {
  if (preference === undefined) {
    const lacks = [...users < leastPreference.users ? [`${count(users)} of ${leastPreference.users} users`] : [], ...converted < leastPreference.decided ? [`${count(converted)} of ${leastPreference.decided} users with a difference`] : []]
    return `too little data: ${listed(lacks)}`
  }
  const { share, from, to } = preference
  if (from > 0.5) return `${second} is preferred by ${percent(share)} of the users with a difference: between ${percent(from)} and ${percent(to)}`
  if (to < 0.5) return `${first} is preferred by ${percent(1 - share)} of the users with a difference: between ${percent(1 - to)} and ${percent(1 - from)}`
  return `no preference yet: between ${percent(from)} and ${percent(to)} prefer ${second} to ${first}`
}

/** The usual causes of a mismatch. */
const mismatchCauses = 'weights that changed while the experiment ran, bots, a login in one variation only, and answers of browsers and CDNs, which are no exposure'

/** Returns what the users of the variations say about the intended split, in a sentence. */
export function splitSentence ({ p, isMismatch }: { p: number, isMismatch: boolean }): string {
  if (isMismatch) return `sample-ratio mismatch: do not trust the result. Usual causes: ${mismatchCauses}`
  if (p < mismatchAlpha) return `unusual in this look alone (p ${probability(p)}), which is no alarm yet: look again later`
  return `as intended (p ${probability(p)})`
}

export function multipleSentence (users: number, share: number): string {
  return `${many(users, 'user')} (${percent(share)}) seen in more than one variation; the first one counts. Usual causes: weights that changed while the experiment ran, and an audience that users move in and out of`
}

export function contestedSentence (share: number, [first, second]: readonly [string, string]): string {
  return `only ${percent(share)} of the positions were contested: the lists of ${first} and ${second} are too alike for this preference to say much`
}

export const noMetricSentence = 'the experiment has no metric: without one, no preference is counted'

/** Returns a share as a percentage with one decimal; a value that would be 0.0 without being 0 has two significant digits. */
export function percent (share: number): string {
  const value = Math.abs(share) * 100
  const digits = value === 0 || value >= 0.05 ? 1 : Math.min(6, 1 - Math.floor(Math.log10(value)))
  return `${share < 0 ? '−' : ''}${value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })} %`
}

/** Returns a difference as a percentage with its sign. */
export function signed (share: number): string {
  return share > 0 ? `+${percent(share)}` : percent(share)
}

/** Returns a p-value: `= 0.034`, or `< 0.0001`. */
export function probability (p: number): string {
  return p < 0.0001 ? '< 0.0001' : `= ${p >= 0.1 ? p.toFixed(2) : p.toPrecision(2)}`
}

/** Returns texts in a row: `a, b, and c`. */
function listed (texts: readonly string[]): string {
  return new Intl.ListFormat('en').format(texts)
}

/** Returns a number of things: `1 user`, `2,000 users`. */
export function many (number: number, what: string): string {
  return `${count(number)} ${what}${number === 1 ? '' : 's'}`
}

/** Returns an integer with separators. */
export function count (value: number): string {
  return value.toLocaleString('en-US')
}
