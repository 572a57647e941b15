import t from 'tap'
import { Popularity } from '../../src/recommender/popularity.ts'
import { seededRandom } from '../support/seeded-random.ts'

const day = 24 * 3600 * 1000
const halfLife = 7 * day

interface Gain { item: number, weight: number, time: number }

/** Items by their decayed sum, best first. */
function naive (gains: readonly Gain[]): Array<[number, number]> {
  const latest = Math.max(...gains.map(({ time }) => time))
  const sums = new Map<number, number>()
  for (const { item, weight, time } of gains) sums.set(item, (sums.get(item) ?? 0) + weight * 2 ** ((time - latest) / halfLife))
  return [...sums].sort(([, a], [, b]) => b - a)
}

function filled (popularity: Popularity, items: number): Popularity {
  for (let item = 0; item < items; item++) popularity.reset(item)
  return popularity
}

t.test('after a half-life an interaction counts half', async t => {
  const popularity = filled(new Popularity(), 2)
  popularity.add(0, 1, 0)
  popularity.add(1, 1, halfLife)
  t.strictSame(popularity.ranking, [1, 0])
  t.ok(Math.abs(popularity.share(0) - 0.5) < 1e-9)
  t.equal(popularity.share(1), 1)
})

t.test('without interactions nothing is popular', async t => {
  const popularity = filled(new Popularity(), 1)
  t.strictSame(popularity.ranking, [])
  t.equal(popularity.share(0), 0)
  t.equal(popularity.log(0), -Infinity)
  t.equal(popularity.log(123_456), -Infinity)
})

for (const [years, step] of [[0.1, 3600_000], [40, 20 * day]] as const) {
  t.test(`the order is exact under random updates over ${years} years`, async t => {
    const random = seededRandom(years * 10)
    const items = 60
    const popularity = filled(new Popularity(), items)
    const gains: Gain[] = []
    for (let i = 0; i < 700; i++) {
      const time = 946_684_800_000 + i * step + random.integer(-5, 5) * step
      const gain = { item: Math.floor(items * random.next() ** 2), weight: random.pick([0.5, 1, 2, 3, 1000]), time }
      gains.push(gain)
      popularity.add(gain.item, gain.weight, gain.time)
      if (i % 20 !== 19) continue
      const expected = naive(gains)
      const best = expected[0]![1]
      const shares = new Map(expected.map(([item, sum]) => [item, sum / best]))
      t.strictSame(new Set(popularity.ranking), new Set(shares.keys()))
      popularity.ranking.forEach((item, rank) => {
        const here = shares.get(item)!
        const there = expected[rank]![1] / best
        if (Math.abs(here - there) > 1e-9 * there + 1e-300) t.fail(`rank ${rank} is ${here}, expected ${there}`)
        if (Math.abs(popularity.share(item) - here) > 1e-9 + 1e-9 * here) t.fail(`the share of ${item} is ${popularity.share(item)}, expected ${here}`)
      })
    }
  })
}

t.test('only so many are listed, and they are the best', async t => {
  const random = seededRandom(3)
  const popularity = filled(new Popularity(5), 40)
  const gains: Gain[] = []
  for (let i = 0; i < 2000; i++) {
    const gain = { item: random.integer(0, 39), weight: 1 + random.next(), time: i * day }
    gains.push(gain)
    popularity.add(gain.item, gain.weight, gain.time)
    if (i % 50 === 0) t.strictSame(popularity.ranking, naive(gains).slice(0, 5).map(([item]) => item))
  }
})

t.test('an item that is reset leaves the ranking and begins anew', async t => {
  const popularity = filled(new Popularity(), 4)
  for (const item of [0, 1, 2, 3]) popularity.add(item, 10 - item, 0)
  popularity.reset(1)
  t.strictSame(popularity.ranking, [0, 2, 3])
  t.equal(popularity.log(1), -Infinity)
  popularity.add(3, 5, 0)
  t.strictSame(popularity.ranking, [3, 0, 2])
  popularity.add(1, 9, 0)
  t.strictSame(popularity.ranking, [3, 0, 1, 2])
})

t.test('after a reset the ranking still holds the most popular', async t => {
  const popularity = filled(new Popularity(2), 4)
  popularity.add(0, 10, 0)
  popularity.add(1, 5, 0)
  popularity.add(2, 4, 0)
  popularity.reset(0)
  popularity.add(3, 1, 0)
  t.strictSame(popularity.ranking.slice(0, 2), [1, 2], 'item 2 is more popular than item 3')
})
