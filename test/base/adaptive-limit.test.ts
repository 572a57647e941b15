import t from 'tap'
import { createAdaptiveLimit, type AdaptiveLimit } from '../../src/base/adaptive-limit.ts'

/** Returns a limit with a clock of its own, and a function that lets work of a latency go through it until the next `adapt`. */
function simulate (): { limit: AdaptiveLimit, work: (latency: number, utilisation: number, wanted?: number, delay?: number) => number } {
  let time = 0
  const limit = createAdaptiveLimit({ now: () => time, most: 5_000 })
  return {
    limit,
    work (latency, utilisation, wanted = 100, delay = 0) {
      const begun = []
      for (let i = 0; i < wanted && limit.hasRoom(1); i++) begun.push(limit.begin('route'))
      time += latency
      for (const work of begun) limit.end(work, true)
      limit.adapt({ utilisation, delay })
      return begun.length
    }
  }
}

t.test('overload: the limit shrinks by the gradient of latency while the process is busy, and ends with the load', async t => {
  const { limit, work } = simulate()
  for (let i = 0; i < 10; i++) work(20, 0.3)
  t.equal(limit.isBusy, false)
  for (let i = 0; i < 20; i++) work(400, 1, 2_000)
  t.ok(limit.limit < 50, String(limit.limit))
  t.ok(limit.limit >= 16, 'some work is always let in')
  t.equal(work(400, 1, 2_000) < 50, true)
  for (let i = 0; i < 200; i++) work(20, 1, 2_000)
  t.ok(limit.limit > 1_000, `it grows while work is fast: ${limit.limit}`)
  work(20, 0.2)
  t.equal(work(20, 0.2, 3_000), 3_000, 'all are let in once the process is not busy')
})

t.test('overload: a slow provider does not shrink the limit of a process that is not busy', async t => {
  const { work } = simulate()
  for (let i = 0; i < 10; i++) work(20, 0.3)
  for (let i = 0; i < 50; i++) t.equal(work(2_000, 0.3, 3_000), 3_000)
})

t.test('overload: the delay of the event loop counts as latency', async t => {
  const { limit, work } = simulate()
  for (let i = 0; i < 10; i++) work(1, 0.3)
  for (let i = 0; i < 20; i++) work(1, 1, 500, 200)
  t.ok(limit.limit < 60, String(limit.limit))
})

t.test('overload: work of lower priority finds no room first, and failed work does not count as fast', async t => {
  const { limit, work } = simulate()
  for (let i = 0; i < 30; i++) work(400, 1, 2_000)
  const begun = []
  while (limit.hasRoom(0.4)) begun.push(limit.begin('bulk'))
  t.ok(limit.hasRoom(0.75))
  while (limit.hasRoom(0.75)) begun.push(limit.begin('write'))
  t.ok(limit.hasRoom(1))
  const before = limit.limit
  for (const one of begun) limit.end(one, false)
  t.equal(limit.inFlight, 0)
  limit.adapt({ utilisation: 1, delay: 0 })
  t.equal(limit.limit, before)
})

t.test('overload: the work in flight is bounded, busy or not', async t => {
  const limit = createAdaptiveLimit({ now: () => 0, most: 3 })
  for (let i = 0; i < 3; i++) limit.begin('route')
  t.equal(limit.hasRoom(1), false)
})
