import t from 'tap'
import { Histories } from '../../src/recommender/histories.ts'

t.test('histories are numbered from 1 and found by their session', async t => {
  const histories = new Histories(8, 10)
  t.equal(histories.begin('s1'), 1)
  t.equal(histories.begin(undefined), 2)
  t.equal(histories.begin('s2'), 3)
  t.equal(histories.ofSession('s1'), 1)
  t.equal(histories.ofSession('s2'), 3)
  t.equal(histories.ofSession('s3'), undefined)
  t.equal(histories.count, 3)
  t.equal(histories.newest(1), 0)
  histories.setNewest(1, 77)
  t.equal(histories.newest(1), 77)
})

t.test('past the limit the oldest history goes, and its session with it', async t => {
  const histories = new Histories(4, 10)
  for (let n = 1; n <= 4; n++) histories.setNewest(histories.begin(`s${n}`), n * 10)
  t.ok(histories.isKept(1))
  histories.begin('s5')
  t.notOk(histories.isKept(1))
  t.equal(histories.ofSession('s1'), undefined)
  t.equal(histories.newest(5), 0, 'the place in the ring was cleared')
  t.strictSame([2, 3, 4].map(n => histories.newest(n)), [20, 30, 40])
  t.equal(histories.begin('s1'), 6, 'a session that comes back after that begins anew')
  t.equal(histories.ofSession('s1'), 6)
  t.notOk(histories.isKept(0))
})

t.test('the ring holds over many rounds', async t => {
  const limit = 32
  const histories = new Histories(limit, 10)
  for (let n = 1; n <= 10 * limit; n++) {
    histories.setNewest(histories.begin(n % 3 === 0 ? undefined : `s${n}`), n)
    for (let kept = Math.max(1, n - limit + 1); kept <= n; kept++) {
      if (histories.newest(kept) !== kept || !histories.isKept(kept)) t.fail(`history ${kept} was lost at ${n}`)
      if (kept % 3 !== 0 && histories.ofSession(`s${kept}`) !== kept) t.fail(`session ${kept} was lost at ${n}`)
    }
    if (histories.ofSession(`s${n - limit}`) !== undefined) t.fail(`session ${n - limit} is still there at ${n}`)
  }
  t.equal(histories.count, 10 * limit)
})

t.test('no history is overlong while there are too few to judge', async t => {
  const histories = new Histories(4096, 200)
  const long = histories.begin(undefined)
  for (let i = 0; i < 150; i++) t.ok(histories.lengthen(long))
})

t.test('beyond the 99.5th percentile a history is overlong', async t => {
  const histories = new Histories(4096, 200)
  // Of 1000 histories, 990 have 3 items, 7 have 5 and 3 have 50: 0.5 % are 5 histories, so 5 items are still common.
  for (let n = 0; n < 1000; n++) {
    const history = histories.begin(undefined)
    const length = n < 990 ? 3 : n < 997 ? 5 : 50
    for (let i = 0; i < length; i++) histories.lengthen(history)
  }
  // It is judged with the next thousand.
  for (let n = 0; n < 1000; n++) {
    const history = histories.begin(undefined)
    for (let i = 0; i < (n < 992 ? 3 : 5); i++) histories.lengthen(history)
  }
  const next = histories.begin(undefined)
  t.strictSame(Array.from({ length: 8 }, () => histories.lengthen(next)), [true, true, true, true, true, false, false, false])
})
