import t, { type Test } from 'tap'
import { mostCredits, mostLists, type Counted, type Credit, type Entry, type Exposure, type TallyStore } from '../../src/experiments/tally/store.ts'
import { seededRandom } from '../support/seeded-random.ts'

const of = (id: string): Counted => ({ id, attribution: 60_000 })

const exposure = (user: string, variation: string): Entry => ({ kind: 'exposure', user, variation })
const credit = (user: string, metric: string, id: string, value = 1, cap?: number): Credit => ({ kind: 'credit', user, metric, value, id, cap })

/** Tests the behaviour that experiments require of each store of counters. */
export function tallyStoreContract (name: string, open: (t: Test) => Promise<TallyStore>): void {
  t.test(`${name}: a user is exposed once, to the first variation`, async t => {
    const store = await open(t)
    await store.count(of('shop/home/x'), [exposure('u1', 'a'), exposure('u1', 'a'), exposure('u2', 'b'), exposure('u3', 'b'), exposure('u3', 'a'), exposure('u3', 'b'), exposure('u3', 'a')])
    const { users, multiple } = await store.read('shop/home/x')
    t.strictSame(new Map([...users].sort()), new Map([['a', 1], ['b', 2]]))
    t.equal(multiple, 1)
  })

  t.test(`${name}: what a user does adds up, within the cap, and counts for the first variation`, async t => {
    const store = await open(t)
    await store.count(of('e'), [
      exposure('u1', 'a'), exposure('u2', 'b'),
      credit('u1', 'revenue', '1', 10.5, 500), credit('u1', 'revenue', '2', 20, 500), credit('u2', 'revenue', '1', 600, 500),
      credit('u1', 'ctr', '3', 1, 1), credit('u1', 'ctr', '4', 1, 1),
      exposure('u1', 'b'), credit('u1', 'revenue', '5', 0.25, 500)
    ])
    const { metrics } = await store.read('e')
    t.strictSame(metrics.get('revenue')!.get('a'), { converted: 1, sum: 30.75, squares: 30.75 ** 2 })
    t.strictSame(metrics.get('revenue')!.get('b'), { converted: 1, sum: 500, squares: 250_000 })
    t.strictSame(metrics.get('ctr')!.get('a'), { converted: 1, sum: 1, squares: 1 })
  })

  t.test(`${name}: what is counted again changes nothing`, async t => {
    const store = await open(t)
    const entries = [exposure('u', 'a'), credit('u', 'm', 'same', 3), credit('u', 'm', 'other', 4)]
    await store.count(of('e'), entries)
    await store.count(of('e'), entries)
    const { users, metrics } = await store.read('e')
    t.equal(users.get('a'), 1)
    t.strictSame(metrics.get('m')!.get('a'), { converted: 1, sum: 7, squares: 49 })
  })

  t.test(`${name}: who was not exposed is counted apart, also after an exposure that came later`, async t => {
    const store = await open(t)
    await store.count(of('e'), [credit('u', 'm', '1'), exposure('u', 'a'), credit('u', 'm', '1'), credit('v', 'm', '1')])
    const { users, metrics, unexposed } = await store.read('e')
    t.equal(unexposed.get('m'), 2)
    t.equal(users.get('a'), 1)
    t.equal(metrics.get('m'), undefined)
  })

  t.test(`${name}: experiments are apart, and one without entries is empty`, async t => {
    const store = await open(t)
    await store.count(of('e1'), [exposure('u', 'a'), credit('u', 'm', '1')])
    await store.count(of('e2'), [exposure('u', 'b')])
    t.strictSame((await store.read('e2')).users, new Map([['b', 1]]))
    t.strictSame(await store.read('e3'), { users: new Map(), metrics: new Map(), multiple: 0, unexposed: new Map(), positions: { contested: 0, all: 0 } })
  })

  t.test(`${name}: names are taken as they are`, async t => {
    const store = await open(t)
    const odd = ['__proto__', 'constructor', 'é\u{1f600}', 'a:b}', '{x}']
    await store.count(of('e{}'), odd.flatMap(user => [exposure(user, 'a'), credit(user, '__proto__', user)]))
    const { users, metrics } = await store.read('e{}')
    t.equal(users.get('a'), odd.length)
    t.equal(metrics.get('__proto__')!.get('a')!.converted, odd.length)
  })

  t.test(`${name}: the ids of lists are taken as they are, since providers choose them`, async t => {
    const store = await open(t)
    const ids = ['n', 'k', 'v', 'm', '0', '__proto__', 'l', 'r0']
    await store.count(of('e'), ids.map(recommendationId => ({ kind: 'exposure', user: 'u', variation: 'a', list: { recommendationId, length: 1 } })))
    t.strictSame((await store.lists('e', 'u')).map(({ recommendationId }) => recommendationId), ids.toReversed())
  })

  t.test(`${name}: one user's credits are bounded`, async t => {
    const store = await open(t)
    await store.count(of('e'), [exposure('u', 'a'), ...Array.from({ length: mostCredits + 50 }, (_, i) => credit('u', 'm', `${i}`))])
    t.equal((await store.read('e')).metrics.get('m')!.get('a')!.sum, mostCredits)
  })

  t.test(`${name}: random entries count as a plain model says`, async t => {
    const store = await open(t)
    const random = seededRandom(7)
    const first = new Map<string, string>()
    const sums = new Map<string, number>()
    const entries = Array.from({ length: 3_000 }, (_, i): Entry => {
      const user = `u${random.integer(1, 200)}`
      if (random.next() < 0.4) return exposure(user, random.pick(['a', 'b', 'c']))
      return credit(user, 'm', String(i), random.integer(1, 9))
    })
    for (const entry of entries) {
      if (entry.kind === 'exposure' && !first.has(entry.user)) first.set(entry.user, entry.variation)
      else if (entry.kind === 'credit' && first.has(entry.user)) sums.set(entry.user, (sums.get(entry.user) ?? 0) + entry.value)
    }
    await store.count(of('e'), entries)
    const { users, metrics } = await store.read('e')
    for (const variation of ['a', 'b', 'c']) {
      const those = [...first].filter(([, of]) => of === variation).map(([user]) => sums.get(user) ?? 0)
      t.equal(users.get(variation), those.length)
      t.strictSame(metrics.get('m')!.get(variation), {
        converted: those.filter(sum => sum > 0).length,
        sum: those.reduce((all, sum) => all + sum, 0),
        squares: those.reduce((all, sum) => all + sum * sum, 0)
      })
    }
  })

  t.test(`${name}: a credit that proves its variation counts as an exposure where none is remembered`, async t => {
    const store = await open(t)
    await store.count(of('e'), [{ ...credit('u', 'm', '1'), variation: 'b' }, { ...credit('v', 'm', '1'), variation: 'b' }, exposure('w', 'a'), { ...credit('w', 'm', '1'), variation: 'b' }])
    const { users, metrics, unexposed } = await store.read('e')
    t.strictSame(new Map([...users].sort()), new Map([['a', 1], ['b', 2]]))
    t.equal(metrics.get('m')!.get('b')!.converted, 2)
    t.equal(metrics.get('m')!.get('a')!.converted, 1, 'the first exposure counts')
    t.equal(unexposed.size, 0)
  })

  t.test(`${name}: of signed credits only the side that a user prefers counts`, async t => {
    const store = await open(t)
    const signed = (user: string, id: string, value: number): Credit => ({ ...credit(user, 'click', id, value), signed: true })
    await store.count(of('e'), [
      ...['u', 'v', 'w', 'x'].map(user => exposure(user, 'interleaved')),
      signed('u', '1', 1), signed('u', '2', 1), signed('v', '1', -1), signed('v', '2', 1), signed('w', '1', -1), signed('w', '2', -1), signed('w', '3', 1)
    ])
    t.strictSame((await store.read('e')).metrics.get('click')!.get('interleaved'), { converted: 2, sum: 0, squares: 2 }, 'u prefers one side, w the other, and v none')
  })

  t.test(`${name}: the last lists of a user are known, each counted once`, async t => {
    const store = await open(t)
    const list = (n: number): Entry => ({ ...exposure('u', 'interleaved') as Exposure, list: { recommendationId: `list-${n}`, length: 4, teams: [[`a${n}`], [`b${n}`]] } })
    await store.count(of('e'), [list(0), list(0), exposure('u', 'interleaved'), ...Array.from({ length: mostLists + 2 }, (_, n) => list(n + 1))])
    const lists = await store.lists('e', 'u')
    t.strictSame(lists.map(({ recommendationId }) => recommendationId), Array.from({ length: mostLists }, (_, i) => `list-${mostLists + 2 - i}`))
    t.strictSame(lists[0], { recommendationId: `list-${mostLists + 2}`, length: 4, teams: [[`a${mostLists + 2}`], [`b${mostLists + 2}`]] })
    t.strictSame(await store.lists('e', 'nobody'), [])
    t.strictSame((await store.read('e')).positions, { contested: 2 * (mostLists + 3), all: 4 * (mostLists + 3) })
  })

  t.test(`${name}: a list of one variation has no teams`, async t => {
    const store = await open(t)
    await store.count(of('e'), [{ ...exposure('u', 'a') as Exposure, list: { recommendationId: 'RID-1', length: 2 } }])
    t.strictSame(await store.lists('e', 'u'), [{ recommendationId: 'RID-1', length: 2 }])
    t.strictSame((await store.read('e')).positions, { contested: 0, all: 0 })
  })
}
