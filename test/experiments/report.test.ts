import { Ajv } from 'ajv'
import t from 'tap'
import { ExperimentReportSchema, reportOf, type ExperimentReport, type ReportedExperiment } from '../../src/experiments/report.ts'
import type { Sums } from '../../src/experiments/statistics/comparison.ts'
import type { Totals } from '../../src/experiments/tally/store.ts'

const isReport = new Ajv({ strict: false }).compile(ExperimentReportSchema)

type Metric = Omit<Sums, 'users'>
const rate = (converted: number): Metric => ({ converted, sum: converted, squares: converted })

interface Given {
  users: Record<string, number>
  metrics?: Record<string, Record<string, Metric>>
  unexposed?: Record<string, number>
  multiple?: number
  positions?: Totals['positions']
}

function totals ({ users, metrics = {}, unexposed = {}, multiple = 0, positions = { contested: 0, all: 0 } }: Given): Totals {
  const mapOf = <V>(record: Record<string, V>): Map<string, V> => new Map(Object.entries(record))
  return { users: mapOf(users), metrics: new Map(Object.entries(metrics).map(([metric, of]) => [metric, mapOf(of)])), unexposed: mapOf(unexposed), multiple, positions }
}

const experiment = (more: Partial<ReportedExperiment> = {}): ReportedExperiment => ({
  id: 'shop/recommend-items/home/layout',
  namespace: 'shop',
  action: 'recommend-items',
  recommender: 'home',
  feature: 'layout',
  method: 'weighted',
  variations: ['a', 'b'],
  shares: new Map([['a', 0.5], ['b', 0.5]]),
  metrics: { ctr: { event: 'click' } },
  ...more
})

/** Returns a report that has survived its way through JSON, as a client gets it. */
function report (more: Partial<ReportedExperiment>, given: Given): ExperimentReport {
  const made = reportOf(experiment(more), totals(given))
  t.ok(isReport(made), JSON.stringify(isReport.errors))
  t.strictSame(JSON.parse(JSON.stringify(made)), made, 'it has no value that JSON has not')
  return made
}

const near = (actual: number | undefined, expected: number, tolerance = 1e-9): boolean => actual !== undefined && Math.abs(actual - expected) <= tolerance
const sentenceOf = ({ metrics }: ExperimentReport, i = 1): string | undefined => metrics[0]!.results?.[i]?.sentence

// The golden figures were computed apart, by a program of its own in another language.

t.test('report: the rate of a variation has its lift, always-valid interval, p-value and sentence', async t => {
  const { users, metrics: [ctr], split, warnings } = report({}, { users: { a: 10_000, b: 10_000 }, metrics: { ctr: { a: rate(1_000), b: rate(1_300) } } })
  t.equal(users, 20_000)
  t.match(ctr, { metric: 'ctr', measures: 'rate', results: [{ variation: 'a', users: 10_000, converted: 1_000, rate: 0.1 }, { variation: 'b', converted: 1_300, rate: 0.13 }] })
  const [a, b] = ctr!.results!
  t.strictSame([a!.lift, a!.from, a!.p], [undefined, undefined, undefined], 'the first one is compared with nothing')
  t.ok(near(b!.lift, 0.3) && near(b!.from, 0.14368628830035973) && near(b!.to, 0.45631371169964036) && near(b!.p, 8.543487218441982e-7))
  t.equal(b!.sentence, 'better by 30.0 %: between +14.4 % and +45.6 %')
  t.strictSame(warnings, [])
  t.equal(split!.sentence, 'as intended (p = 1.00)')
})

t.test('report: no difference yet, and worse, are said as such', async t => {
  const of = (converted: number): ExperimentReport => report({}, { users: { a: 10_000, b: 10_000 }, metrics: { ctr: { a: rate(1_000), b: rate(converted) } } })
  t.equal(sentenceOf(of(1_020)), 'no difference yet: between −11.1 % and +15.1 %')
  t.equal(sentenceOf(of(700)), 'worse by 30.0 %: between −40.0 % and −20.0 %')
  t.equal(of(1_000).metrics[0]!.results![1]!.p, 1)
})

t.test('report: the mean of a metric with a value is over all users', async t => {
  const sums = { a: { converted: 400, sum: 12_500, squares: 400_000 }, b: { converted: 420, sum: 14_500, squares: 520_000 } }
  const { metrics: [revenue] } = report({ metrics: { revenue: { event: 'purchase', value: 'eventValue' } } }, { users: { a: 5_000, b: 5_000 }, metrics: { revenue: sums } })
  t.match(revenue, { measures: 'mean', results: [{ mean: 2.5, rate: undefined }, { mean: 2.9, converted: 420 }] })
  const b = revenue!.results![1]!
  t.ok(near(b.lift, 0.16) && near(b.from, -0.08349931275605771) && near(b.to, 0.40349931275605755) && near(b.p, 0.43257848008308564))
})

t.test('report: with more than two variations, the level is shared out (Bonferroni)', async t => {
  const three = { variations: ['a', 'b', 'c'], shares: new Map([['a', 1 / 3], ['b', 1 / 3], ['c', 1 / 3]]) }
  const metrics = { ctr: { a: rate(1_000), b: rate(1_150), c: rate(1_000) } }
  const b = report(three, { users: { a: 10_000, b: 10_000, c: 10_000 }, metrics }).metrics[0]!.results![1]!
  t.ok(near(b.from, -0.00409587861164093) && near(b.to, 0.3040958786116408) && near(b.p, 0.06453421552482776))
  t.match(b.sentence, /^no difference yet/)
  const two = report({}, { users: { a: 10_000, b: 10_000 }, metrics }).metrics[0]!.results![1]!
  t.ok(near(two.from, 0.007370338903444101), 'with two, it is better')
})

t.test('report: too little data names what is missing, variation by variation', async t => {
  const of = (users: [number, number], converted: [number, number]): string | undefined =>
    sentenceOf(report({}, { users: { a: users[0], b: users[1] }, metrics: { ctr: { a: rate(converted[0]), b: rate(converted[1]) } } }))
  t.equal(of([99, 1_000], [50, 500]), 'too little data: a has 99 of 100 users')
  t.equal(of([1_000, 1_000], [500, 4]), 'too little data: b has 4 of 5 conversions')
  t.equal(of([1_000, 1_000], [500, 997]), 'too little data: b has 3 of 5 users without a conversion')
  t.equal(of([20, 0], [3, 0]), 'too little data: a has 20 of 100 users and 3 of 5 conversions; b has 0 of 100 users, 0 of 5 conversions, and 0 of 5 users without a conversion')
  t.match(of([1_000, 1_000], [8, 80]), /^too little data: the mean of a is not above 0/, 'a ratio to nearly nothing means nothing')
  t.match(of([100, 100], [5, 5]), /^too little data: the mean/)
  t.match(of([100, 100], [95, 95]), /^no difference yet/, 'the least that is shown')
})

t.test('report: an experiment without users has neither rate nor lift, and no warnings', async t => {
  const { users, metrics: [ctr], split, warnings, multiple } = report({}, { users: {} })
  t.equal(users, 0)
  t.strictSame(ctr!.results!.map(({ users, rate }) => [users, rate]), [[0, undefined], [0, undefined]])
  t.match(split, { p: 1, mismatch: false })
  t.strictSame([multiple, warnings], [{ users: 0, share: 0 }, []])
})

t.test('report: values below 0, and those that no number holds, give no lift', async t => {
  const metrics = { revenue: { event: 'purchase', value: 'eventValue' } } as const
  const of = (a: Metric, b: Metric): string | undefined => sentenceOf(report({ metrics }, { users: { a: 1_000, b: 1_000 }, metrics: { revenue: { a, b } } }))
  t.match(of({ converted: 500, sum: -5_000, squares: 60_000 }, { converted: 500, sum: -2_000, squares: 60_000 }), /the mean of a is not above 0/, 'half of a loss is no lift of -50 %')
  t.match(of({ converted: 500, sum: Infinity, squares: Infinity }, { converted: 500, sum: 1_000, squares: 60_000 }), /give the metric a cap/)
  t.match(of({ converted: 500, sum: 1_000, squares: 60_000 }, { converted: 500, sum: 1e200, squares: NaN }), /give the metric a cap/)
  t.match(of({ converted: 500, sum: 1_000, squares: 60_000 }, { converted: 500, sum: 1e308, squares: 500 }), /give the metric a cap/, 'a square that is missing')
})

t.test('report: a sample-ratio mismatch is an alarm by the Bayes factor; the χ² check alone is none', async t => {
  const of = (a: number, b: number): ExperimentReport => report({}, { users: { a, b } })
  const check = of(10_000, 9_400)
  t.ok(near(check.split!.p, 1.6492442163388095e-5, 1e-9) && near(check.split!.bayesFactor, 730.4881507867354, 1e-4))
  t.match(check.split, { mismatch: false, sentence: /^unusual in this look alone \(p < 0.0001\)/ })
  t.strictSame(check.warnings, [])
  const alarm = of(10_000, 9_000)
  t.equal(alarm.split!.mismatch, true)
  t.match(alarm.warnings, [/^sample-ratio mismatch: do not trust the result/])
  t.equal(of(1e7, 1).split!.bayesFactor, Number.MAX_VALUE, 'evidence beyond all numbers stays one')
  t.equal(of(5_000, 5_100).split!.mismatch, false)
})

t.test('report: the mismatch is judged by the intended shares, not by equal ones', async t => {
  const shares = new Map([['a', 0.9], ['b', 0.1]])
  t.match(report({ shares }, { users: { a: 9_000, b: 1_000 } }), { split: { mismatch: false }, variations: [{ share: 0.9 }, { share: 0.1 }] })
  t.match(report({ shares }, { users: { a: 5_000, b: 5_000 } }), { split: { mismatch: true } })
  t.equal(report({ shares: undefined }, { users: { a: 5_000, b: 100 } }).split, undefined, 'where another system decides, nothing is known of the split')
})

t.test('report: users seen in two variations are counted, and warned of from 1 % on', async t => {
  const of = (multiple: number): ExperimentReport => report({}, { users: { a: 500, b: 500 }, multiple })
  t.strictSame([of(9).multiple, of(9).warnings], [{ users: 9, share: 0.009 }, []])
  t.match(of(10).warnings, [/^10 users \(1.0 %\) seen in more than one variation/])
})

t.test('report: conversions without an exposure are counted apart, by metric', async t => {
  const metrics = { ctr: { event: 'click' }, bought: { event: 'purchase' } }
  t.match(report({ metrics }, { users: { a: 5, b: 5 }, unexposed: { ctr: 7 } }).metrics, [{ metric: 'ctr', unexposed: 7 }, { metric: 'bought', unexposed: 0 }])
})

t.test('report: an experiment that names no metrics has those that were counted, as means', async t => {
  const { metrics } = report({ metrics: undefined }, { users: { a: 200, b: 200 }, metrics: { signup: { a: rate(20) } }, unexposed: { other: 2 } })
  t.match(metrics, [{ metric: 'other', unexposed: 2 }, { metric: 'signup', measures: 'mean', results: [{ mean: 0.1 }, { mean: 0 }] }])
})

t.test('report: the first variation that takes part is the base; one that has left is shown, and not compared', async t => {
  const more = { variations: ['house', 'a', 'b', 'old'], shares: new Map([['b', 0.5], ['a', 0.5]]) }
  const { variations, metrics: [ctr], split } = report(more, { users: { a: 10_000, b: 10_000, old: 40, gone: 3 }, metrics: { ctr: { a: rate(1_000), b: rate(1_150) } } })
  t.strictSame(variations.map(({ variation, share }) => [variation, share]), [['a', 0.5], ['b', 0.5], ['old', 0], ['gone', 0]])
  t.ok(near(ctr!.results![1]!.from, 0.007370338903444101), 'it costs the others no certainty')
  t.match(ctr!.results!.slice(2), [{ variation: 'old', sentence: /not part of the experiment any more/ }, { variation: 'gone', users: 3 }])
  t.equal(split!.p, 1)
})

t.test('report: names of variations and metrics are taken as they are', async t => {
  const { variations, metrics: [metric] } = report({ variations: ['constructor', 'toString'], shares: new Map([['constructor', 0.5], ['toString', 0.5]]), metrics: JSON.parse('{"__proto__":{"event":"click"}}') as ReportedExperiment['metrics'] }, { users: { constructor: 4 } })
  t.match(variations, [{ variation: 'constructor', users: 4 }, { variation: 'toString', users: 0 }])
  t.equal(metric!.metric, '__proto__')
})

const blended = (decided: number, sum: number, more: Partial<Given> = {}): ExperimentReport =>
  report({ method: 'interleave', shares: undefined, blended: ['a', 'b'] }, { users: { interleaved: 5_000 }, metrics: { ctr: { interleaved: { converted: decided, sum, squares: decided } } }, positions: { contested: 800, all: 1_000 }, ...more })

t.test('report: interleaving tells the preference for the second among users with a difference', async t => {
  const { interleaved, metrics: [ctr], positions, split, warnings } = blended(2_000, 300)
  t.strictSame([interleaved, split, warnings], [['a', 'b'], undefined, []])
  t.strictSame(positions, { contested: 800, all: 1_000, share: 0.8 })
  const { users, decided, share, from, to, p, sentence } = ctr!.preference!
  t.strictSame([users, decided, share], [5_000, 2_000, 0.575])
  t.ok(near(from, 0.5323868217458133) && near(to, 0.6176131782541866) && near(p, 5.055022061443025e-5))
  t.equal(sentence, 'b is preferred by 57.5 % of the users with a difference: between 53.2 % and 61.8 %')
})

t.test('report: interleaving with the first preferred, with no preference, and with too little data', async t => {
  const sentence = (...of: Parameters<typeof blended>): string => blended(...of).metrics[0]!.preference!.sentence
  t.equal(sentence(2_000, -300), 'a is preferred by 57.5 % of the users with a difference: between 53.2 % and 61.8 %')
  t.equal(sentence(500, 40), 'no preference yet: between 40.4 % and 67.6 % prefer b to a')
  t.equal(sentence(49, 10), 'too little data: 49 of 50 users with a difference')
  t.equal(sentence(12, 10, { users: { interleaved: 60 } }), 'too little data: 60 of 100 users and 12 of 50 users with a difference')
  t.equal(sentence(0, 0, { users: {}, positions: { contested: 0, all: 0 } }), 'too little data: 0 of 100 users and 0 of 50 users with a difference')
})

t.test('report: users who all agree are no certainty by themselves', async t => {
  t.match(blended(60, 60).metrics[0]!.preference, { share: 1, from: 0, to: 1, sentence: /^no preference yet/ })
  const { share, from, p } = blended(200, 200).metrics[0]!.preference!
  t.ok(share === 1 && near(from, 0.6788186848503028) && near(p, 0.0006658454051594847))
})

t.test('report: an interleaved experiment without a metric is warned of', async t => {
  t.match(report({ method: 'interleave', shares: undefined, metrics: undefined, blended: ['a', 'b'] }, { users: { interleaved: 5 } }).warnings, [/has no metric/])
})

t.test('report: fewer than 30 % of contested positions are warned of', async t => {
  t.match(blended(2_000, 300, { positions: { contested: 299, all: 1_000 } }).warnings, [/^only 29.9 % of the positions were contested/])
  t.strictSame(blended(2_000, 300, { positions: { contested: 300, all: 1_000 } }).warnings, [])
  t.strictSame(blended(2_000, 300, { positions: { contested: 0, all: 0 } }).warnings, [], 'nothing was shown yet')
})
