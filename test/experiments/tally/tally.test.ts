import t from 'tap'
import { createMemoryTally } from '../../../src/experiments/tally/memory.ts'
import type { Counted, Entry, TallyStore } from '../../../src/experiments/tally/store.ts'
import { createTally } from '../../../src/experiments/tally/tally.ts'

const of = (id: string): Counted => ({ id, attribution: 60_000 })

/** A store whose outages the test controls, and timers that the test rings. */
function bench () {
  const counts = createMemoryTally({ now: () => 0 })
  const batches: Array<readonly Entry[]> = []
  const state = { down: false, loses: false }
  const store: TallyStore = {
    async count (experiment, entries) {
      if (state.down) throw new Error('away')
      batches.push(entries)
      await counts.count(experiment, entries)
      if (state.loses) throw new Error('the answer was lost')
    },
    read: counts.read,
    lists: counts.lists
  }
  const timers: Array<{ callback: () => void, ms: number }> = []
  const errors: unknown[] = []
  const tally = createTally({
    store,
    onError: error => errors.push(error),
    later (callback, ms) {
      const timer = { callback, ms }
      timers.push(timer)
      return () => { timers.splice(timers.indexOf(timer), 1) }
    }
  })
  async function ring (atMost = Infinity): Promise<void> {
    for (const timer of timers.filter(({ ms }) => ms <= atMost)) {
      timers.splice(timers.indexOf(timer), 1)
      timer.callback()
    }
    await new Promise(setImmediate)
  }
  return { tally, batches, state, errors, timers, ring }
}

const credit = { user: 'u', metric: 'm', value: 1, id: '1' }

t.test('entries are gathered, and counted in order in one batch for each experiment', async t => {
  const { tally, batches, ring } = bench()
  tally.expose(of('e'), { user: 'u', variation: 'a' })
  const credited = tally.credit(of('e'), credit)
  tally.expose(of('f'), { user: 'u', variation: 'b' })
  t.equal(batches.length, 0)
  await ring(100)
  t.equal(await credited, true)
  t.strictSame(batches.map(batch => batch.map(({ kind }) => kind)), [['exposure', 'credit'], ['exposure']])
})

t.test('an outage keeps the entries for later, and no caller waits for its end', async t => {
  const { tally, batches, state, errors, timers, ring } = bench()
  state.down = true
  tally.expose(of('e'), { user: 'u', variation: 'a' })
  const credited = tally.credit(of('e'), credit)
  await ring(100)
  t.equal(errors.length, 1)
  t.ok(timers.some(({ ms }) => ms === 500), 'it is tried again')
  await ring()
  t.equal(await credited, false, 'its caller is told that it is not counted yet')
  state.down = false
  await ring()
  t.strictSame(batches.map(batch => batch.map(({ kind }) => kind)), [['exposure', 'credit']])
  t.equal((await tally.read('e')).metrics.get('m')!.get('a')!.converted, 1)
})

t.test('a batch whose answer was lost is not counted twice', async t => {
  const { tally, state, ring } = bench()
  tally.expose(of('e'), { user: 'u', variation: 'a' })
  void tally.credit(of('e'), credit)
  state.loses = true
  await ring(100)
  state.loses = false
  await ring()
  const { users, metrics } = await tally.read('e')
  t.equal(users.get('a'), 1)
  t.equal(metrics.get('m')!.get('a')!.sum, 1)
})

t.test('what waits is bounded, and what is dropped is told', async t => {
  const { tally, state } = bench()
  state.down = true
  for (let i = 0; i < 50_010; i++) tally.expose(of('e'), { user: `u${i}`, variation: 'a' })
  t.equal(tally.dropped, 10)
  t.equal(await tally.credit(of('e'), credit), false)
})

t.test('closing counts what is noted', async t => {
  const { tally, batches } = bench()
  tally.expose(of('e'), { user: 'u', variation: 'a' })
  const credited = tally.credit(of('e'), credit)
  await tally.close()
  t.equal(batches.length, 1)
  t.equal(await credited, true)
  t.equal(await tally.credit(of('e'), credit), false)
})

t.test('lists and totals have what was noted before, also while an earlier batch is being counted', async t => {
  const counts = createMemoryTally({ now: () => 0 })
  let begin = (): void => {}
  const begun = new Promise<void>(resolve => { begin = resolve })
  let release = (): void => {}
  const held = new Promise<void>(resolve => { release = resolve })
  const tally = createTally({ store: { ...counts, async count (...of) { begin(); await held; await counts.count(...of) } }, onError: error => { t.error(error) } })
  const list = { recommendationId: 'l', length: 1 }
  tally.expose(of('e'), { user: 'u', variation: 'a', list })
  await begun
  tally.expose(of('e'), { user: 'v', variation: 'a' })
  const asked = Promise.all([tally.lists('e', 'u'), tally.read('e')])
  release()
  const [lists, { users }] = await asked
  t.strictSame(lists, [list])
  t.equal(users.get('a'), 2)
  await tally.close()
})

t.test('a look-up of lists waits for the end of an outage, and ends with the process', async t => {
  const counts = createMemoryTally({ now: () => 0 })
  let isDown = true
  const errors: unknown[] = []
  const timers: Array<() => void> = []
  const tally = createTally({
    store: { ...counts, async lists (...of) { if (isDown) throw new Error('away'); return counts.lists(...of) } },
    onError: error => errors.push(error),
    later (callback) {
      timers.push(callback)
      return () => { timers.splice(timers.indexOf(callback), 1) }
    }
  })
  const ring = async (): Promise<void> => {
    for (const callback of timers.splice(0)) callback()
    await new Promise(setImmediate)
  }
  const list = { recommendationId: 'l', length: 1 }
  tally.expose(of('e'), { user: 'u', variation: 'a', list })
  let found: unknown
  void tally.lists('e', 'u').then(lists => { found = lists })
  await new Promise(setImmediate)
  await ring()
  t.equal(found, undefined)
  t.ok(errors.length > 0)
  isDown = false
  await ring()
  t.strictSame(found, [list])
  isDown = true
  const abandoned = tally.lists('e', 'u')
  await new Promise(setImmediate)
  await tally.close()
  t.strictSame(await abandoned, [])
  t.equal(tally.dropped, 1)
})
