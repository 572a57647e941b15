import t from 'tap'
import { createReportQueue, type ReportQueueOptions } from '../../src/experiments/report-queue.ts'
import { eventually } from '../support/eventually.ts'

function start (send: (items: readonly number[], signal: AbortSignal) => Promise<readonly number[]>, limits: ReportQueueOptions<number>['limits'] = {}): { add: (count: number) => void, close: () => Promise<void>, calls: number[][], dropped: number[] } {
  const calls: number[][] = []
  const dropped: number[] = []
  const queue = createReportQueue<number>({
    perCall: 50,
    async send (items, signal) {
      calls.push([...items])
      return send(items, signal)
    },
    onDropped: items => { dropped.push(...items) },
    limits: { gather: 1, pause: 1, ...limits }
  })
  let next = 0
  return { calls, dropped, close: queue.close, add (count) { for (let i = 0; i < count; i++) queue.add(next++) } }
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i)
const hangs = async (_items: readonly number[], signal: AbortSignal): Promise<never> => new Promise((_resolve, reject) => { signal.addEventListener('abort', () => { reject(new Error('aborted')) }) })

t.test('reports go out in batches of at most 50, each once', async t => {
  const { add, close, calls, dropped } = start(async () => [])
  add(320)
  await close()
  t.strictSame(calls.flat().sort((a, b) => a - b), numbers(320))
  t.ok(calls.every(({ length }) => length <= 50))
  t.strictSame(dropped, [])
})

t.test('a failed call is repeated once, and reports that the system refuses alone; then they are dropped', async t => {
  const failing = start(async () => { throw new Error('away') })
  failing.add(3)
  await eventually('they are dropped', () => failing.dropped.length === 3)
  t.strictSame(failing.calls, [[0, 1, 2], [0, 1, 2]])
  const refusing = start(async items => items.filter(i => i % 2 === 1))
  refusing.add(4)
  await eventually('they are dropped', () => refusing.dropped.length === 2)
  t.strictSame(refusing.calls, [[0, 1, 2, 3], [1, 3]])
  let failures = 1
  const recovering = start(async () => {
    if (failures-- > 0) throw new Error('away')
    return []
  })
  recovering.add(2)
  await recovering.close()
  t.strictSame(recovering.dropped, [])
})

t.test('the queue and its calls are bounded: what exceeds them is dropped', async t => {
  const { add, close, calls, dropped } = start(hangs, { waiting: 100, patience: 60_000, closing: 1 })
  add(50)
  await eventually('the first call is made', () => calls.length === 1)
  add(1_000)
  await eventually('two more are made', () => calls.length === 3)
  add(1_000)
  await eventually('one more is made, and no further', () => calls.length === 4)
  t.ok(dropped.length >= 2_050 - 100 - 4 * 50, `${dropped.length}`)
  await close()
  t.equal(new Set(dropped).size, 2_050, 'closing ends in time, and counts each report once')
  t.equal(dropped.length, 2_050)
  t.equal(calls.length, 4)
  add(1)
  t.equal(dropped.length, 2_051, 'afterwards everything is dropped')
})

t.test('a call that hangs ends after its time limit', async t => {
  const { add, calls, dropped } = start(hangs, { patience: 5 })
  add(1)
  await eventually('it is dropped', () => dropped.length === 1)
  t.equal(calls.length, 2)
})
