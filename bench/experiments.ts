/**
 * Do experiments split fairly, and can their results be trusted?
 *   node dist/bench/experiments.js [--ids 1000000] [--runs 1000] [--seed 1]
 * Splits ids by weight; watches experiments without a difference after every 100 exposures, by the always-valid test and by a plain one;
 * measures how many exposures find a lift of 10 %, by a split and by interleaving; and drops a twentieth of one variation's exposures.
 */
import { parseArgs } from 'node:util'
import { draft } from '../src/experiments/draft.ts'
import type { Assignment } from '../src/experiments/experiment.ts'
import { compare, type Sums } from '../src/experiments/statistics/comparison.ts'
import { mismatchFactor, splitProbability } from '../src/experiments/statistics/mismatch.ts'
import { sequential } from '../src/experiments/statistics/sequential.ts'
import { uniform } from '../src/experiments/uniform.ts'
import { openWeighted } from '../src/experiments/weighted.ts'
import { seededRandom, type SeededRandom } from '../test/support/seeded-random.ts'

const { values } = parseArgs({ options: { ids: { type: 'string', default: '1000000' }, runs: { type: 'string', default: '1000' }, seed: { type: 'string', default: '1' } } })
const [ids, runs, seed] = [Number(values.ids), Number(values.runs), Number(values.seed)]

/** Exposures between two looks at a result. */
const step = 100
const looks = 200
/** For a rate of 10 % against 11 %, at a level of 5 % and a power of 80 %: both groups together. */
const fixedHorizon = 29_500

splitting()
watching()
finding()
interleaving()
mismatching()

function splitting (): void {
  const weights = { a: 50, b: 30, c: 20 }
  const random = seededRandom(seed)
  const hex = (digits: number): string => random.integer(0, 16 ** digits - 1).toString(16).padStart(digits, '0')
  const kinds: Record<string, (i: number) => string> = {
    numeric: () => String(random.integer(1, 1e12)),
    sequential: i => String(i),
    uuid: () => `${hex(8)}-${hex(4)}-4${hex(3)}-9${hex(3)}-${hex(6)}${hex(6)}`
  }
  const { assign } = openWeighted(new Map(Object.entries(weights)), { seed: 'shop/home/layout' })
  console.table(Object.fromEntries(Object.entries(kinds).map(([kind, idOf]) => {
    const list = Array.from({ length: ids }, (_, i) => idOf(i))
    const counts: Record<string, number> = { a: 0, b: 0, c: 0 }
    const started = performance.now()
    for (const userId of list) counts[(assign({ userId, context: undefined, now: 0 }) as Assignment).variation!]!++
    const took = performance.now() - started
    const off = Math.max(...Object.entries(weights).map(([name, weight]) => Math.abs(counts[name]! / ids * 100 - weight)))
    const p = splitProbability(Object.entries(weights).map(([name, weight]) => ({ users: counts[name]!, share: weight / 100 })))
    return [kind, { ids, 'points off, most': off.toFixed(3), p: p.toFixed(3), 'µs each': (took / ids * 1000).toFixed(2) }]
  })))
}

/** The exposures and conversions of two variations, by users who convert with these rates. */
function conversions (rates: readonly [number, number], random: SeededRandom): { expose: () => 0 | 1, sums: () => [Sums, Sums] } {
  const users = [0, 0]
  const converted = [0, 0]
  return {
    expose () {
      const variation = random.next() < 0.5 ? 0 : 1
      users[variation]!++
      if (random.next() < rates[variation]) converted[variation]!++
      return variation
    },
    sums: () => [0, 1].map(i => ({ users: users[i]!, converted: converted[i]!, sum: converted[i]!, squares: converted[i]! })) as [Sums, Sums]
  }
}

function isDifferentByPlainTest ([a, b]: [Sums, Sums]): boolean {
  const pooled = (a.converted + b.converted) / (a.users + b.users)
  return Math.abs(b.converted / b.users - a.converted / a.users) / Math.sqrt(pooled * (1 - pooled) * (1 / a.users + 1 / b.users)) > 1.96
}

function watching (): void {
  let always = 0
  let plain = 0
  for (let run = 0; run < runs; run++) {
    const { expose, sums } = conversions([0.1, 0.1], seededRandom(seed * 10_000 + run))
    let [byAlways, byPlain] = [false, false]
    for (let look = 0; look < looks; look++) {
      for (let i = 0; i < step; i++) expose()
      const comparison = compare(...sums())
      if (comparison === undefined) continue
      byAlways ||= comparison.p < 0.05
      byPlain ||= isDifferentByPlainTest(sums())
    }
    always += Number(byAlways)
    plain += Number(byPlain)
  }
  console.table({ 'always valid': { experiments: runs, 'false alarms, %': (always / runs * 100).toFixed(1) }, 'plain z-test': { experiments: runs, 'false alarms, %': (plain / runs * 100).toFixed(1) } })
}

function finding (): void {
  const needed = Array.from({ length: Math.min(runs, 400) }, (_, run) => {
    const { expose, sums } = conversions([0.1, 0.11], seededRandom(seed * 20_000 + run))
    for (let exposures = step; exposures <= 300_000; exposures += step) {
      for (let i = 0; i < step; i++) expose()
      const comparison = compare(...sums())
      if (comparison !== undefined && comparison.p < 0.05) return exposures
    }
    return Infinity
  }).sort((a, b) => a - b)
  const [median, p80] = [quantile(needed, 0.5), quantile(needed, 0.8)]
  console.table({ '10 % against 11 %': { runs: needed.length, 'exposures, median': median, p80, 'fixed horizon': fixedHorizon, 'median : fixed': (median / fixedHorizon).toFixed(2) } })
}

/**
 * Two rankers of ten items out of thirty, of which a user likes six; each ranker places them in front with some skill. Users differ, as
 * they do: in how often they come and in how readily they click (both log-normal). A user looks down the list and clicks with a chance
 * that falls by position. In the split, the user counts with all clicks; in the blend, for the team with more of them.
 */
function interleaving (): void {
  interface Visitor { liked: ReadonlySet<number>, visits: number, readiness: number }
  const normal = (random: SeededRandom): number => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next())
  const visitor = (random: SeededRandom): Visitor => ({
    liked: new Set(Array.from({ length: 6 }, () => random.integer(0, 29))),
    visits: Math.min(50, Math.ceil(Math.exp(normal(random)))),
    readiness: Math.min(0.8, 0.1 * Math.exp(normal(random)))
  })
  const list = (random: SeededRandom, { liked }: Visitor, skill: number): string[] =>
    Array.from({ length: 30 }, (_, item) => ({ item, score: random.next() + (liked.has(item) ? skill : 0) })).sort((a, b) => b.score - a.score).slice(0, 10).map(({ item }) => String(item))
  const clicks = (random: SeededRandom, { liked, readiness }: Visitor, item: string, at: number): number => Number(random.next() < readiness * (liked.has(Number(item)) ? 1 : 0.05) * 0.85 ** at)

  function splitNeeds (skills: readonly [number, number], run: number, most: number): number {
    const random = seededRandom(seed * 30_000 + run)
    const groups = [0, 1].map(() => ({ users: 0, converted: 0, sum: 0, squares: 0 }))
    for (let users = 1; users <= most; users++) {
      const user = visitor(random)
      const variation = random.next() < 0.5 ? 0 : 1
      let value = 0
      for (let visit = 0; visit < user.visits; visit++) value += list(random, user, skills[variation]).reduce((sum, item, at) => sum + clicks(random, user, item, at), 0)
      const group = groups[variation]!
      group.users++
      group.converted += Number(value > 0)
      group.sum += value
      group.squares += value * value
      if (users % step === 0 && (compare(groups[0]!, groups[1]!)?.p ?? 1) < 0.05) return users
    }
    return Infinity
  }

  function blendNeeds (skills: readonly [number, number], run: number, most: number): { users: number, wrong: boolean } {
    const random = seededRandom(seed * 50_000 + run)
    const preference = { first: 0, second: 0 }
    for (let users = 1; users <= most; users++) {
      const user = visitor(random)
      let difference = 0
      for (let visit = 0; visit < user.visits; visit++) {
        const drafted = draft(list(random, user, skills[0]), list(random, user, skills[1]), { idOf: item => item, size: 10, firstBegins: round => uniform(String(run), String(users), String(visit), String(round)) < 0.5 })
        difference += drafted.reduce((sum, { item, team }, at) => sum + clicks(random, user, item, at) * (team === undefined ? 0 : team === 1 ? 1 : -1), 0)
      }
      if (difference > 0) preference.second++
      if (difference < 0) preference.first++
      const decided = preference.first + preference.second
      if (users % step !== 0 || decided < 50) continue
      const mean = (preference.second - preference.first) / decided
      if (sequential({ value: mean, error: Math.sqrt((1 - mean * mean) / decided) }, decided).p < 0.05) return { users, wrong: mean < 0 }
    }
    return { users: Infinity, wrong: false }
  }

  const median = (list: number[]): number => quantile(list.sort((a, b) => a - b), 0.5)
  const count = 15
  const split = Array.from({ length: count }, (_, run) => splitNeeds([0.5, 0.55], run, 200_000))
  const blend = Array.from({ length: count }, (_, run) => blendNeeds([0.5, 0.55], run, 200_000))
  const equal = Array.from({ length: 100 }, (_, run) => blendNeeds([0.5, 0.5], 1000 + run, 3_000))
  const [byBlend, bySplit] = [median(blend.map(({ users }) => users)), median(split)]
  console.table({ 'better ranker': { runs: count, 'A/B, users (median)': bySplit, 'interleaved, users (median)': byBlend, 'interleaved : A/B': (byBlend / bySplit).toFixed(3), wrong: blend.filter(({ wrong }) => wrong).length } })
  console.table({ 'equal rankers': { runs: equal.length, 'stay equal': equal.filter(({ users }) => users === Infinity).length } })
}

function mismatching (): void {
  function firstAlarm (dropped: number, run: number): { sequential: number, check: number } {
    const random = seededRandom(seed * 40_000 + run)
    const users = [0, 0]
    const alarm = { sequential: Infinity, check: Infinity }
    for (let exposures = 1; exposures <= 200_000 && alarm.sequential === Infinity; exposures++) {
      const variation = random.next() < 0.5 ? 0 : 1
      if (variation === 0 || random.next() >= dropped) users[variation]!++
      if (exposures % 1_000 !== 0) continue
      const splits = users.map(count => ({ users: count, share: 0.5 }))
      if (mismatchFactor(splits) > 1_000) alarm.sequential = exposures
      if (alarm.check === Infinity && splitProbability(splits) < 0.001) alarm.check = exposures
    }
    return alarm
  }
  const broken = Array.from({ length: 100 }, (_, run) => firstAlarm(0.05, run))
  const clean = Array.from({ length: runs }, (_, run) => firstAlarm(0, 1000 + run))
  const share = (alarms: number[]): number => alarms.filter(at => at < Infinity).length
  console.table({
    'sequential alarm': { 'found, of 100': share(broken.map(run => run.sequential)), 'exposures, median': quantile(broken.map(run => run.sequential).sort((a, b) => a - b), 0.5), [`false, of ${runs}`]: share(clean.map(run => run.sequential)) },
    'χ² check, repeated': { 'found, of 100': share(broken.map(run => run.check)), 'exposures, median': quantile(broken.map(run => run.check).sort((a, b) => a - b), 0.5), [`false, of ${runs}`]: share(clean.map(run => run.check)) }
  })
}

function quantile (sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!
}
