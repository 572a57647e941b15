import t from 'tap'
import { compare, meanOf, type Sums } from '../../../src/experiments/statistics/comparison.ts'
import { logGamma, upperGamma } from '../../../src/experiments/statistics/gamma.ts'
import { isMismatch, mismatchFactor, splitProbability } from '../../../src/experiments/statistics/mismatch.ts'
import { sequential } from '../../../src/experiments/statistics/sequential.ts'
import { seededRandom } from '../../support/seeded-random.ts'

const near = (actual: number, expected: number, tolerance = 1e-9): boolean => Math.abs(actual - expected) <= tolerance * Math.max(1, Math.abs(expected))

t.test('the gamma functions have their known values', async t => {
  for (const [x, value] of [[1, 0], [5, Math.log(24)], [0.5, Math.log(Math.sqrt(Math.PI))], [11, Math.log(3_628_800)]] as const) t.ok(near(logGamma(x), value), `ln Γ(${x})`)
  // The 95th percentiles of χ² with 1, 2 and 10 degrees of freedom.
  for (const [df, x] of [[1, 3.8414588206941], [2, 5.9914645471080], [10, 18.3070380532751]] as const) t.ok(near(upperGamma(df / 2, x / 2), 0.05, 1e-8), `χ² with ${df}`)
  t.equal(upperGamma(1, 0), 1)
  t.ok(near(upperGamma(0.5, 50), 1.52397060483e-23, 1e-30))
})

t.test('the always-valid interval is as much wider than a fixed one as published', async t => {
  const { halfWidth } = sequential({ value: 0, error: 1 }, 20_000)
  t.ok(near(halfWidth, 3.04, 0.01), `${halfWidth} standard errors at the expected number of users`)
  t.ok(near(sequential({ value: 0, error: 1 }, 4_000).halfWidth, 3.36, 0.01))
  t.ok(near(sequential({ value: 0, error: 1 }, 400_000).halfWidth, 3.34, 0.01))
})

t.test('the p-value is 0.05 exactly where the interval touches zero', async t => {
  for (const users of [300, 20_000, 1e6]) {
    const { halfWidth } = sequential({ value: 0, error: 0.01 }, users)
    t.ok(near(sequential({ value: halfWidth, error: 0.01 }, users).p, 0.05, 1e-9))
  }
})

const of = (users: number, converted: number, value = 1): Sums => ({ users, converted, sum: converted * value, squares: converted * value * value })

t.test('a lift is shown with its interval, and only from enough users and conversions on', async t => {
  t.equal(compare(of(99, 50), of(1000, 500)), undefined)
  t.equal(compare(of(1000, 500), of(1000, 4)), undefined)
  t.equal(compare(of(1000, 500), of(1000, 996)), undefined)
  t.equal(compare(of(1000, 8), of(1000, 80)), undefined, 'within three standard errors of 0, a ratio means nothing')
  const { lift, from, to, p } = compare(of(50_000, 5_000), of(50_000, 5_500))!
  t.ok(near(lift, 0.1))
  t.ok(from > 0 && to < 0.2 && near(to - lift, lift - from), `${from} to ${to}`)
  t.ok(p < 0.001)
  const corrected = compare(of(50_000, 5_000), of(50_000, 5_500), { comparisons: 3 })!
  t.ok(corrected.from < from && corrected.p > p, 'more variations, more doubt')
})

t.test('a user with many conversions is one unit', async t => {
  const { mean, variance } = meanOf({ users: 4, converted: 1, sum: 8, squares: 64 })
  t.equal(mean, 2)
  t.ok(near(variance, 16 / 4), 'the variance of 0, 0, 0 and 8, over 4')
})

t.test('of sound experiments that are watched all the time, few ever show a difference; of those watched by a plain test, many', async t => {
  const random = seededRandom(11).next
  const [experiments, looks, step] = [200, 60, 100]
  let always = 0
  let plain = 0
  for (let e = 0; e < experiments; e++) {
    const users = [0, 0]
    const converted = [0, 0]
    const alarms = { always: false, plain: false }
    for (let look = 0; look < looks; look++) {
      for (let i = 0; i < step; i++) {
        const arm = random() < 0.5 ? 0 : 1
        users[arm]!++
        if (random() < 0.1) converted[arm]!++
      }
      const result = compare(of(users[0]!, converted[0]!), of(users[1]!, converted[1]!))
      if (result === undefined) continue
      if (result.p < 0.05) alarms.always = true
      const pooled = (converted[0]! + converted[1]!) / (users[0]! + users[1]!)
      const z = (converted[1]! / users[1]! - converted[0]! / users[0]!) / Math.sqrt(pooled * (1 - pooled) * (1 / users[0]! + 1 / users[1]!))
      if (Math.abs(z) > 1.96) alarms.plain = true
    }
    if (alarms.always) always++
    if (alarms.plain) plain++
  }
  t.ok(always <= experiments * 0.05, `${always} of ${experiments}`)
  t.ok(plain > experiments * 0.2, `${plain} of ${experiments}`)
})

t.test('a split that lost a twentieth of a variation is found, a sound one is not', async t => {
  const random = seededRandom(5).next
  const users = [0, 0]
  const splits = (): Array<{ users: number, share: number }> => users.map(count => ({ users: count, share: 0.5 }))
  for (let i = 0; i < 100_000; i++) users[random() < 0.5 ? 0 : 1]!++
  t.ok(splitProbability(splits()) > 0.001)
  t.ok(mismatchFactor(splits()) < 1)
  users[1] = Math.round(users[1]! * 0.95)
  t.ok(splitProbability(splits()) < 0.001)
  t.ok(isMismatch(splits()))
})

t.test('few users, and variations without a share, are no mismatch', async t => {
  t.equal(splitProbability([]), 1)
  t.equal(splitProbability([{ users: 0, share: 0.5 }, { users: 0, share: 0.5 }]), 1)
  t.notOk(isMismatch([{ users: 3, share: 0.5 }, { users: 0, share: 0.5 }]))
  t.notOk(isMismatch([{ users: 500, share: 0.5 }, { users: 500, share: 0.5 }, { users: 50, share: 0 }]))
})
