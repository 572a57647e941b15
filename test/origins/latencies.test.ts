import t from 'tap'
import { createLatencies } from '../../src/origins/latencies.ts'

t.test('too few durations say nothing', async t => {
  const latencies = createLatencies()
  for (let i = 0; i < 20; i++) {
    t.equal(latencies.p95(), undefined)
    latencies.add(5)
  }
})

t.test('nineteen of twenty were no slower', async t => {
  const latencies = createLatencies()
  for (let i = 1; i <= 128; i++) latencies.add(i)
  const p95 = latencies.p95()!
  t.ok(p95 >= 121 && p95 <= 123, `${p95}`)
})

t.test('old durations are forgotten', async t => {
  const latencies = createLatencies()
  for (let i = 0; i < 128; i++) latencies.add(1000)
  t.equal(latencies.p95(), 1000)
  for (let i = 0; i < 128; i++) latencies.add(10)
  t.equal(latencies.p95(), 10)
})

t.test('a single slow one among many does not count', async t => {
  const latencies = createLatencies()
  for (let i = 0; i < 128; i++) latencies.add(i === 50 ? 30_000 : 10)
  t.equal(latencies.p95(), 10)
})
