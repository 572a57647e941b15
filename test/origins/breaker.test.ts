import { CircuitState, type IBreaker } from 'cockatiel'
import t from 'tap'
import { createBreaker } from '../../src/origins/breaker.ts'
import { defaults } from '../../src/origins/resilience.ts'
import { seededRandom } from '../support/seeded-random.ts'

interface Provider {
  breaker: IBreaker
  /** Makes calls for a time. @returns after how many ms the breaker opened */
  call: (load: Load) => number | undefined
  pass: (ms: number) => void
}

interface Load {
  /** In ms. */
  duration: number
  perSecond: number
  /** Which share of the calls fails, from 0 to 1; those that fail are drawn, or spread evenly. */
  failing: number
  random?: () => number
  retries?: number
}

function provider (failures = defaults.breaker.failures): Provider {
  let now = 1_000_000
  const breaker = createBreaker({ failures, now: () => now })
  return {
    breaker,
    pass (ms) { now += ms },
    call ({ duration, perSecond, failing, random, retries = 0 }) {
      let due = 0
      const fails = (): boolean => random === undefined ? (due += failing) >= 1 && due-- > 0 : random() < failing
      for (let at = 0; at < duration; at += 1000 / perSecond, now += 1000 / perSecond) {
        for (let attempt = 0; attempt <= retries; attempt++) {
          if (!fails()) {
            breaker.success(CircuitState.Closed)
            break
          }
          if (breaker.failure(CircuitState.Closed)) return at
        }
      }
      return undefined
    }
  }
}

t.test('with one call of ten failing at random, the breaker stays closed: 500 a second for 30 s, and one retry', async t => {
  for (let seed = 1; seed <= 20; seed++) {
    const load = { duration: 30_000, perSecond: 500, failing: 0.1, random: seededRandom(seed).next, retries: 1 }
    t.equal(provider().call(load), undefined, `seed ${seed}`)
  }
})

t.test('it stays closed at low rates, too, where the window often holds few calls', async t => {
  for (const perSecond of [0.1, 0.5, 1, 2, 5]) {
    const load = { duration: 2_000_000 / perSecond, perSecond, failing: 0.1, random: seededRandom(7).next, retries: 1 }
    t.equal(provider().call(load), undefined, `${perSecond} a second`)
  }
})

t.test('with all calls failing, the breaker opens within 2 s, whatever was before', async t => {
  for (const perSecond of [10, 50, 500, 5000]) {
    for (const before of [0, 500, 9_000, 60_000]) {
      const { call } = provider()
      t.equal(call({ duration: before, perSecond, failing: 0 }), undefined)
      const opened = call({ duration: 2_000, perSecond, failing: 1 })
      t.ok(opened !== undefined && opened <= 2_000, `${perSecond} a second, healthy for ${before} ms: after ${opened} ms`)
    }
  }
})

t.test('a failure rate of half and more opens it within the window of ten seconds, less does not', async t => {
  for (const perSecond of [5, 100]) {
    const { call } = provider()
    call({ duration: 20_000, perSecond, failing: 0 })
    const opened = call({ duration: 10_000, perSecond, failing: 0.6 })
    t.ok(opened !== undefined && opened > 7_000, `${perSecond} a second: after ${opened} ms`)
    t.equal(provider().call({ duration: 60_000, perSecond, failing: 0.4 }), undefined)
  }
})

t.test('a burst of failures does not open it while calls before and after succeed', async t => {
  const { breaker, call, pass } = provider()
  call({ duration: 10_000, perSecond: 100, failing: 0 })
  for (let i = 0; i < 500; i++) t.notOk(breaker.failure(CircuitState.Closed))
  pass(900)
  t.notOk(breaker.failure(CircuitState.Closed), 'the run has not lasted for a second')
  breaker.success(CircuitState.Closed)
  pass(900)
  t.notOk(breaker.failure(CircuitState.Closed), 'the run begins anew after a success')
})

t.test('fewer failures than configured never open it', async t => {
  const { breaker, pass } = provider(5)
  for (let i = 0; i < 4; i++) {
    t.notOk(breaker.failure(CircuitState.Closed))
    pass(2_000)
  }
  t.ok(breaker.failure(CircuitState.Closed))
})

t.test('a provider that has recovered is not judged by its outage, nor one that was long ago', async t => {
  const recovered = provider(3)
  recovered.call({ duration: 2_000, perSecond: 10, failing: 1 })
  recovered.breaker.success(CircuitState.HalfOpen)
  t.notOk(recovered.breaker.failure(CircuitState.Closed))
  t.notOk(recovered.breaker.failure(CircuitState.Closed))

  const quiet = provider(3)
  for (const pause of [0, 10_000, 10_000]) {
    quiet.pass(pause)
    quiet.breaker.failure(CircuitState.Closed)
    quiet.breaker.success(CircuitState.Closed)
  }
  t.notOk(quiet.breaker.failure(CircuitState.Closed))
})
