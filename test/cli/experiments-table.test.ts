import t from 'tap'
import { reportLines } from '../../src/cli/experiments-table.ts'
import { reportOf, type ReportedExperiment } from '../../src/experiments/report.ts'
import type { Totals } from '../../src/experiments/tally/store.ts'

const long = (name: string): string => name.repeat(128).slice(0, 128)

function lines (names: { variations: [string, string], metric: string }, { users = 1e9, blended = false }: { users?: number, blended?: boolean } = {}): string[] {
  const { variations, metric } = names
  const experiment: ReportedExperiment = {
    id: 'x',
    namespace: long('n'),
    action: 'recommend-items',
    recommender: long('r'),
    feature: long('f'),
    method: blended ? 'interleave' : 'weighted',
    variations,
    shares: blended ? undefined : new Map(variations.map(name => [name, 0.5])),
    metrics: { [metric]: { event: 'click' } },
    blended: blended ? variations : undefined
  }
  const converted = (count: number): { converted: number, sum: number, squares: number } => ({ converted: count, sum: count, squares: count })
  const counts = blended ? [['interleaved', converted(users / 10)]] as const : [[variations[0], converted(users / 1000)], [variations[1], converted(users / 2)]] as const
  const totals: Totals = {
    users: new Map(counts.map(([name], i) => [name, users - i * users / 10])),
    metrics: new Map([[metric, new Map(counts)]]),
    multiple: users / 50,
    unexposed: new Map([[metric, users]]),
    positions: { contested: 1, all: 10 }
  }
  return reportLines(reportOf(experiment, totals))
}

t.test('experiments report: every line fits 120 columns, however long the names and numbers are', async t => {
  for (const options of [{}, { blended: true }, { users: 50 }]) {
    const shown = lines({ variations: [long('first'), long('second')], metric: long('metric') }, options)
    for (const line of shown) t.ok([...line].length <= 120, line)
    t.ok(shown.length > 5)
  }
})

t.test('experiments report: short names are whole, and the sentences are there', async t => {
  const text = lines({ variations: ['a', 'b'], metric: 'ctr' }).join('\n')
  t.match(text, /metric {2}variation +users +converted +rate or mean +lift +between +p\n/)
  t.match(text, /ctr {5}b .* \+\S+ % … \+\S+ % {2}< 0.0001\n/)
  t.match(text, /\n {2}ctr, b: better by /)
  t.match(text, 'ctr: 1,000,000,000 conversions of users without an exposure')
  t.match(text, 'warning: sample-ratio mismatch')
  t.match(text, /warning: .* seen in more than one variation/)
  t.match(lines({ variations: ['a', 'b'], metric: 'ctr' }, { blended: true }).join('\n'), /\n {2}ctr: b is preferred [^]*\n {2}positions: 10.0 % of 10 were contested\n/)
})

t.test('experiments report: nothing that a terminal would obey is printed', async t => {
  const text = lines({ variations: ['a', 'b'], metric: '\u001b[2J\u0007\u202e' }).join('')
  t.notMatch(text, /\p{C}/u)
})
