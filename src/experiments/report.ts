import Type, { type Static } from 'typebox'
import { actions } from '../origins/origin.ts'
import type { ExperimentIdentity } from './experiment.ts'
import { interleaved } from './interleave.ts'
import { comparisonSentence, contestedSentence, multipleSentence, noComparisonSentence, noMetricSentence, preferenceSentence, splitSentence } from './sentences.ts'
import { compare, type Sums } from './statistics/comparison.ts'
import { isMismatch, mismatchFactor, splitProbability } from './statistics/mismatch.ts'
import { preferenceOf } from './statistics/preference.ts'
import type { Totals } from './tally/store.ts'

const Count = Type.Integer({ minimum: 0 })
const Share = Type.Number({ minimum: 0, maximum: 1 })

const ResultSchema = Type.Object({
  variation: Type.String(),
  users: Count,
  converted: Type.Integer({ description: 'The users with a value other than 0.' }),
  rate: Type.Optional(Type.Number({ description: 'The share of the users that converted, from 0 to 1. For metrics without a value; absent without users.' })),
  mean: Type.Optional(Type.Number({ description: 'The mean of the value over all users. For metrics with a value; absent without users.' })),
  lift: Type.Optional(Type.Number({ description: 'The relative difference to the first variation: 0.1 for 10 % more. Absent for the first variation, and while there is too little data.' })),
  from: Type.Optional(Type.Number({ description: 'The lower end of the always-valid interval of the lift.' })),
  to: Type.Optional(Type.Number({ description: 'Its upper end.' })),
  p: Type.Optional(Type.Number({ description: 'The always-valid p-value of "no difference".' })),
  sentence: Type.String({ description: 'The result in plain words.' })
})

const PreferenceSchema = Type.Object({
  users: Type.Integer({ minimum: 0, description: 'The users that saw a blended list.' }),
  decided: Type.Integer({ minimum: 0, description: 'Those with a difference: they chose more items of one variation than of the other.' }),
  share: Type.Optional(Type.Number({ minimum: 0, maximum: 1, description: 'The share of the users with a difference that prefer the second variation. Absent while there is too little data.' })),
  from: Type.Optional(Share),
  to: Type.Optional(Share),
  p: Type.Optional(Type.Number({ description: 'The always-valid p-value of "no preference".' })),
  sentence: Type.String({ description: 'The result in plain words.' })
})

export const ExperimentReportSchema = Type.Object({
  id: Type.String(),
  namespace: Type.String(),
  action: Type.Enum(actions),
  recommender: Type.String(),
  feature: Type.String(),
  method: Type.String(),
  users: Type.Integer({ minimum: 0, description: 'The users exposed to any variation.' }),
  variations: Type.Array(Type.Object({
    variation: Type.String(),
    users: Type.Integer({ minimum: 0, description: 'The users whose first exposure was to this variation.' }),
    share: Type.Optional(Type.Number({ minimum: 0, maximum: 1, description: 'The share of the users that the configuration intends. Absent where another system decides, and 0 for a variation that has left the experiment.' }))
  }), { description: 'In the order of the configuration. The others are compared with the first one that takes part.' }),
  interleaved: Type.Optional(Type.Array(Type.String(), { minItems: 2, maxItems: 2, description: 'The two variations whose lists were blended.' })),
  metrics: Type.Array(Type.Object({
    metric: Type.String(),
    measures: Type.Enum(['rate', 'mean', 'preference']),
    unexposed: Type.Integer({ minimum: 0, description: 'Conversions of users without an exposure. They count for no variation.' }),
    results: Type.Optional(Type.Array(ResultSchema)),
    preference: Type.Optional(PreferenceSchema)
  })),
  split: Type.Optional(Type.Object({
    p: Type.Number({ minimum: 0, maximum: 1, description: 'The p-value of Pearson\'s χ² test of the intended split, valid for one look.' }),
    bayesFactor: Type.Number({ minimum: 0, description: 'The evidence against the intended split. It may be watched at all times; above 1,000 it is an alarm.' }),
    mismatch: Type.Boolean({ description: 'Whether the alarm stands.' }),
    sentence: Type.String()
  })),
  multiple: Type.Object({ users: Count, share: Share }, { description: 'The users seen in more than one variation, and their share of all.' }),
  positions: Type.Optional(Type.Object({
    contested: Count,
    all: Count,
    share: Type.Optional(Share)
  }, { description: 'Of blended lists: the positions where the two variations differ, all positions, and the share of the former.' })),
  warnings: Type.Array(Type.String())
}, { $id: 'ExperimentReport', description: 'The result of an experiment so far.' })

export type ExperimentReport = Static<typeof ExperimentReportSchema>
export type MetricReport = ExperimentReport['metrics'][number]
type Result = Static<typeof ResultSchema>

/** An experiment to report on. */
export interface ReportedExperiment extends ExperimentIdentity {
  /** The intended shares, summing to 1; undefined where another system decides. */
  readonly shares: ReadonlyMap<string, number> | undefined
  /** The two variations of an interleaved experiment. */
  readonly blended?: readonly [string, string] | undefined
}

/** From this share of users in several variations on, the report warns. */
const mostMultiple = 0.01

/** Below this share of contested positions, the report warns. */
const leastContested = 0.3

type Arm = ExperimentReport['variations'][number]

/**
 * Returns the result of an experiment so far. It may be looked at as often as one likes:
 * - The interval and the p-value of a lift are the asymptotic confidence sequence of Waudby-Smith et al. (arXiv 2103.06476, equation 9),
 *   with the variance of the ratio by the delta method. With more than two variations, the level is divided by the number of comparisons
 *   (Bonferroni). A lift is shown from 100 users, 5 users with and 5 without a conversion in both variations on.
 * - The alarm of a sample-ratio mismatch is the sequential Bayes factor of Lindon and Malek (arXiv 2011.03567). Pearson's χ² is beside it.
 * - An interleaved experiment is judged by the signs of the users' differences (Bi et al., arXiv 2508.00751), with the same interval.
 */
export function reportOf (experiment: ReportedExperiment, totals: Totals): ExperimentReport {
  const { id, namespace, action, recommender, feature, method, blended, shares } = experiment
  const arms = armsOf(experiment, totals)
  const users = arms.reduce((sum, arm) => sum + arm.users, 0)
  const split = blended !== undefined || shares === undefined || shares.size < 2 ? undefined : splitOf(arms)
  const multiple = { users: totals.multiple, share: users === 0 ? 0 : Math.min(1, totals.multiple / users) }
  const positions = blended === undefined ? undefined : positionsOf(totals)
  return {
    id,
    namespace,
    action,
    recommender,
    feature,
    method,
    users,
    variations: arms,
    ...(blended === undefined ? {} : { interleaved: [...blended] }),
    metrics: metricNames(experiment, totals).map(metric => metricReport(experiment, totals, arms, metric)),
    ...(split === undefined ? {} : { split }),
    multiple,
    ...(positions === undefined ? {} : { positions }),
    warnings: [
      ...(split?.mismatch === true ? [split.sentence] : []),
      ...(blended !== undefined && Object.keys(experiment.metrics ?? {}).length === 0 ? [noMetricSentence] : []),
      ...(multiple.share >= mostMultiple ? [multipleSentence(multiple.users, multiple.share)] : []),
      ...(blended !== undefined && positions?.share !== undefined && positions.share < leastContested ? [contestedSentence(positions.share, blended)] : [])
    ]
  }
}

/** Returns the variations that take part, and behind them those that once did and have users. */
function armsOf ({ variations, shares, blended }: ReportedExperiment, { users }: Totals): Arm[] {
  const current = blended !== undefined ? [interleaved] : variations.filter(name => shares === undefined || (shares.get(name) ?? 0) > 0)
  const before = [...users.keys()].filter(name => !current.includes(name)).sort((a, b) => orderOf(variations, a) - orderOf(variations, b) || (a < b ? -1 : 1))
  const shareOf = (name: string): number | undefined => blended !== undefined ? 1 : shares?.get(name)
  return [
    ...current.map(variation => ({ variation, users: users.get(variation) ?? 0, ...optional('share', shareOf(variation)) })),
    ...before.map(variation => ({ variation, users: users.get(variation)!, share: 0 }))
  ]
}

function orderOf (variations: readonly string[], name: string): number {
  const at = variations.indexOf(name)
  return at < 0 ? variations.length : at
}

function metricNames ({ metrics }: ReportedExperiment, totals: Totals): string[] {
  return metrics === undefined ? [...new Set([...totals.metrics.keys(), ...totals.unexposed.keys()])].sort() : Object.keys(metrics)
}

function metricReport ({ metrics, blended }: ReportedExperiment, totals: Totals, arms: readonly Arm[], metric: string): MetricReport {
  const settings = metrics?.[metric]
  const isRate = settings !== undefined && 'event' in settings && settings.value === undefined
  const known = totals.metrics.get(metric)
  const sums = arms.map(({ variation, users }) => ({ variation, users, ...known?.get(variation) ?? { converted: 0, sum: 0, squares: 0 } }))
  const unexposed = totals.unexposed.get(metric) ?? 0
  if (blended !== undefined) return { metric, measures: 'preference', unexposed, preference: preferenceReport(blended, sums[0]!) }
  return { metric, measures: isRate ? 'rate' : 'mean', unexposed, results: resultsOf(arms, isRate ? sums.map(asRate) : sums, isRate) }
}

/** Returns the sums of "has converted or has not". */
function asRate<S extends Sums> (sums: S): S {
  return { ...sums, sum: sums.converted, squares: sums.converted }
}

function resultsOf (arms: readonly Arm[], sums: ReadonlyArray<Sums & { variation: string }>, isRate: boolean): Result[] {
  const [base, ...others] = sums
  const comparisons = Math.max(1, others.filter(({ users }, i) => arms[i + 1]!.share === undefined ? users > 0 : arms[i + 1]!.share! > 0).length)
  return sums.map((those, i) => {
    const { variation, users, converted, sum } = those
    const value = users === 0 || !Number.isFinite(sum / users) ? {} : isRate ? { rate: sum / users } : { mean: sum / users }
    const result = { variation, users, converted, ...value }
    if (arms[i]!.share === 0) return { ...result, sentence: 'not part of the experiment any more: it is not compared' }
    if (those === base) return { ...result, sentence: 'the others are compared with it' }
    if (!isSound(base!) || !isSound(those)) return { ...result, sentence: 'the values are too large to be compared: give the metric a cap' }
    const comparison = compare(base!, those, { comparisons })
    return comparison === undefined ? { ...result, sentence: noComparisonSentence(base!, those) } : { ...result, ...comparison, sentence: comparisonSentence(comparison) }
  })
}

/** Returns whether sums can be those of values: not so if a value was too large for a number, or its square. */
function isSound ({ users, sum, squares }: Sums): boolean {
  return Number.isFinite(sum) && Number.isFinite(squares) && squares * users >= sum * sum * (1 - 1e-6)
}

function preferenceReport (blended: readonly [string, string], sums: Sums): NonNullable<MetricReport['preference']> {
  const preference = preferenceOf(sums)
  return { users: sums.users, decided: sums.converted, ...preference, sentence: preferenceSentence(preference, blended, sums) }
}

function splitOf (arms: readonly Arm[]): NonNullable<ExperimentReport['split']> {
  const splits = arms.map(({ users, share = 0 }) => ({ users, share }))
  const p = Math.min(1, Math.max(0, splitProbability(splits)))
  const mismatch = isMismatch(splits)
  return { p, bayesFactor: Math.min(Number.MAX_VALUE, mismatchFactor(splits)), mismatch, sentence: splitSentence({ p, isMismatch: mismatch }) }
}

function positionsOf ({ positions: { contested, all } }: Totals): NonNullable<ExperimentReport['positions']> {
  return { contested, all, ...optional('share', all === 0 ? undefined : Math.min(1, contested / all)) }
}

function optional<K extends string, V> (key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : { [key]: value } as { [P in K]?: V }
}
