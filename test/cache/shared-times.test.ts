import t from 'tap'
import { fromShared, toShared } from '../../src/cache/shared-times.ts'
import { testEntry } from '../support/redis-link.ts'

const hour = 3_600_000

/** The clocks of a process that began at some epoch time, after `passed` ms, with its system clock set by `step` ms. */
const clocks = (passed: number, step = 0) => ({ now: () => 1_900_000_000_000 + passed + step, steady: () => 5_000 + passed })
const entry = { ...testEntry('{}'), madeAt: 6_000, freshUntil: 16_000, staleUntil: 20_000, errorUntil: 96_000 }

t.test('an entry goes to another process with its age', async t => {
  const shared = toShared(entry, clocks(1_000))
  t.match(shared, { madeAt: 1_900_000_001_000, freshUntil: 1_900_000_011_000 })
  t.same(fromShared(shared, clocks(1_000)), entry)
  t.match(fromShared(shared, { now: clocks(4_000).now, steady: () => 100 }), { madeAt: -2_900, freshUntil: 7_100, staleUntil: 11_100, errorUntil: 87_100 }, 'it is 3 s old, on whatever steady clock')
})

t.test('an entry from the future, made before a clock was set back, counts as old', async t => {
  const shared = toShared(entry, clocks(1_000))
  const read = fromShared(shared, clocks(2_000, -hour))
  t.match(read, { madeAt: -3_000, freshUntil: 7_000, staleUntil: 7_000, errorUntil: 87_000 }, 'it is no longer fresh at 7,000')
})

t.test('a little from the future, as the clocks of instances differ, an entry counts as new', async t => {
  const shared = toShared(entry, clocks(1_000))
  t.match(fromShared(shared, clocks(500)), { madeAt: 5_500, freshUntil: 15_500, errorUntil: 95_500 })
})
