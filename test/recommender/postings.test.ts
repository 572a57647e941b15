import t from 'tap'
import { Postings } from '../../src/recommender/postings.ts'
import { seededRandom } from '../support/seeded-random.ts'

const held = (postings: Postings): number[] => [...postings.histories.subarray(0, postings.length)]

t.test('histories are kept in order whatever order they come in', async t => {
  const postings = new Postings()
  for (const history of [5, 2, 9, 1, 7, 8]) postings.add(history, 100)
  t.strictSame(held(postings), [1, 2, 5, 7, 8, 9])
})

t.test('past the limit the oldest goes', async t => {
  const postings = new Postings()
  for (const history of [1, 2, 3, 4, 5]) postings.add(history, 3)
  t.strictSame(held(postings), [3, 4, 5])
  postings.add(2, 3)
  t.strictSame(held(postings), [3, 4, 5], 'one older than all of them is not taken')
})

t.test('a history that is there already is not added again', async t => {
  const postings = new Postings()
  for (const history of [3, 5, 3, 5, 4, 4]) postings.add(history, 3)
  t.strictSame(held(postings), [3, 4, 5])
  postings.add(4, 3)
  t.strictSame(held(postings), [3, 4, 5], 'in a full list neither')
})

t.test('it holds the most recent ones, in order, under random additions', async t => {
  for (const limit of [1, 2, 3, 7, 20, 64]) {
    const random = seededRandom(limit)
    const postings = new Postings()
    let all: number[] = []
    for (let i = 0; i < 400; i++) {
      const history = i * 3 - random.integer(0, 40)
      if (history < 1 || all.includes(history)) continue
      // What was pushed out does not come back: the naive list forgets it as well.
      all = [...all, history].sort((a, b) => a - b).slice(-limit)
      postings.add(history, limit)
      if (held(postings).join() !== all.join()) t.strictSame(held(postings), all)
    }
    t.equal(postings.length, Math.min(limit, all.length))
  }
})
