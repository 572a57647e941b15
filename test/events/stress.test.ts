import t, { type Test } from 'tap'
import { stress, type StressReport } from '../../bench/events-stress-run.ts'
import { targetNames } from '../../bench/events-stub.ts'

const options = { events: 5_000, users: 1_000, clients: 32, throttleShare: 0.3, refusedOneIn: 150 }

function expectExact (t: Test, { targets }: StressReport): void {
  for (const name of targetNames) {
    const { lost, twice, thereAfterAll, outOfOrder } = targets[name]
    t.strictSame({ lost, twice, thereAfterAll, outOfOrder }, { lost: 0, twice: 0, thereAfterAll: 0, outOfOrder: 0 }, name)
  }
}

t.test('where targets refuse three of ten at random, each has every event once and in its user\'s order, or its sender heard that it has not', async t => {
  const report = await stress({ ...options, seed: 1, kinesalite: true, endHalfway: false })
  t.equal(report.sent.events, options.events)
  t.ok(report.throttled > options.events / 10, `${report.throttled} refusals`)
  expectExact(t, report)
  for (const name of targetNames) {
    const { delivered, missing, arrived, refused, unanswered } = report.targets[name]
    t.strictSame({ sum: delivered + missing, arrived, refused, unanswered }, { sum: options.events, arrived: delivered, refused: 0, unanswered: 0 }, `${name}: every event is accounted for`)
  }
  t.ok(targetNames.some(name => report.targets[name].missing > 0), 'what a target never takes is told to be missing')
})

t.test('a gateway that is told to end in the middle of that ends in time, and what it has said holds', async t => {
  const report = await stress({ ...options, seed: 2, kinesalite: false, endHalfway: true })
  const { code, ms } = report.end!
  t.equal(code, 0)
  t.ok(ms < 10_000, `it took ${ms} ms`)
  t.ok(report.sent.events >= options.events / 2)
  t.ok(report.targets['kinesis-stream'].delivered > options.events / 4, 'much of it was delivered before')
  expectExact(t, report)
})
