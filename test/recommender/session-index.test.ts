import t from 'tap'
import type { IndexLimits } from '../../src/recommender/limits.ts'
import { Query, type UserQuery } from '../../src/recommender/query.ts'
import { SessionIndex } from '../../src/recommender/session-index.ts'
import { seededRandom } from '../support/seeded-random.ts'

const minute = 60_000
const parameters = { recentItems: 4, sampleSize: 100, neighbours: 100 }

function indexed (limits: Partial<IndexLimits> = {}, now = (): number => Infinity) {
  const index = new SessionIndex(now, limits)
  const query = new Query(index)
  const meet = (userId: string, itemId: string, time = 0, more: { sessionId?: string, weight?: number } = {}): void => {
    index.apply({ userId, itemId, time, weight: 1, ...more })
  }
  const recommend = (userId: string, more: Partial<UserQuery> = {}): string[] =>
    query.recommend({ userId, numResults: 100, excludeSeen: true, parameters, ...more }).filter(({ popular }) => !popular).map(({ itemId }) => itemId)
  return { index, query, meet, recommend }
}

t.test('the events of a user belong together until a gap of more than 30 minutes', async t => {
  const { index, meet } = indexed()
  meet('u', 'a', 0)
  meet('u', 'b', 30 * minute)
  t.equal(index.histories.count, 1)
  meet('u', 'c', 60 * minute + 1)
  t.equal(index.histories.count, 2)
  meet('v', 'a', 60 * minute + 1)
  t.equal(index.histories.count, 3, 'another user is in another history')
})

t.test('the events of one session belong together whatever the gap', async t => {
  const { index, meet } = indexed()
  meet('u', 'a', 0, { sessionId: 's' })
  meet('u', 'b', 1000 * minute, { sessionId: 's' })
  t.equal(index.histories.count, 1)
  meet('u', 'c', 1000 * minute, { sessionId: 's2' })
  t.equal(index.histories.count, 2, 'another session begins at once')
})

t.test('an item counts once in a history, with its greatest weight', async t => {
  const { index, meet } = indexed()
  meet('u', 'a', 0, { weight: 3 })
  meet('u', 'b', 0)
  meet('u', 'a', 0, { weight: 1 })
  const a = index.items.get('a')!
  t.equal(index.frequency(a), 1)
  t.equal(index.postings(a)!.length, 1)
  const [[last, interaction] = []] = [...index.itemsOfUser(index.users.get('u')!)]
  t.equal(last, a, 'it was met last')
  t.equal(index.interactions.weight(interaction!), 3)
})

t.test('an item that comes back in a long history counts once as well', async t => {
  const { index, meet, recommend } = indexed({ historyItems: 8 })
  meet('u', 'first')
  for (let i = 0; i < 20; i++) meet('u', i % 2 === 0 ? 'this' : 'that')
  meet('v', 'this')
  t.strictSame(recommend('v'), ['that', 'first'], 'a history holds its distinct items, however often the user went to and fro')
  meet('u', 'first')
  t.equal(index.frequency(index.items.get('first')!), 1)
})

t.test('an item that was liked, disliked and liked again counts once', async t => {
  const { index, meet } = indexed()
  for (const weight of [1, -1, 1, -1, 2]) meet('u', 'a', 0, { weight })
  const a = index.items.get('a')!
  t.equal(index.frequency(a), 1)
  t.equal(index.postings(a)!.length, 1)
})

t.test('an event from the future counts as of now', async t => {
  const { index, meet } = indexed({}, () => 1000)
  meet('u', 'early', 1000)
  meet('u', 'late', 1e15)
  t.equal(index.popularity.log(index.items.get('late')!), index.popularity.log(index.items.get('early')!))
})

t.test('an evicted item leaves nothing to the one that gets its slot', async t => {
  const { index, meet, recommend } = indexed({ items: 3 })
  for (const user of ['u', 'v', 'w']) for (const item of ['old', 'a', 'b']) meet(user, item)
  meet('x', 'a', 1)
  meet('x', 'b', 1)
  meet('x', 'new', 1)
  t.equal(index.items.get('old'), undefined)
  const slot = index.items.get('new')!
  t.equal(index.frequency(slot), 1)
  t.strictSame([...index.postings(slot)!.histories.subarray(0, index.postings(slot)!.length)], [4])
  meet('y', 'a', 2)
  t.strictSame(recommend('y').sort(), ['b', 'new'], 'from the history of x alone')
  t.strictSame(recommend('u'), ['new'], 'which u has not seen, though u saw what had its slot')
})

t.test('an evicted item leaves its popularity to nobody', async t => {
  const { index, meet } = indexed({ items: 2 })
  for (let i = 0; i < 9; i++) meet(`u${i}`, 'old')
  meet('v', 'a')
  meet('w', 'new')
  const slot = (itemId: string): number => index.items.get(itemId)!
  t.equal(index.popularity.log(slot('new')), index.popularity.log(slot('a')))
  t.strictSame(new Set(index.popularity.ranking), new Set([slot('a'), slot('new')]))
})

t.test('an evicted user is unknown', async t => {
  const { index, meet, recommend } = indexed({ users: 2 })
  meet('u', 'a')
  meet('v', 'a')
  meet('v', 'b')
  meet('w', 'c')
  t.equal(index.users.get('u'), undefined)
  t.strictSame(recommend('u'), [])
  t.strictSame([...index.itemsOfUser(index.users.get('w')!)].map(([item]) => index.items.id(item)), ['c'], 'and left w no history')
  t.strictSame(recommend('w'), [])
})

t.test('histories that were pushed out no longer vote', async t => {
  const { meet, recommend } = indexed({ histories: 4 })
  meet('u', 'a')
  meet('u', 'gone')
  for (const user of ['v1', 'v2', 'v3']) {
    meet(user, 'a')
    meet(user, 'b')
  }
  meet('w', 'a')
  t.strictSame(recommend('w'), ['b'])
})

t.test('an overlong history gives no further postings', async t => {
  const { index, meet } = indexed()
  for (let i = 0; i < 1001; i++) for (const item of ['a', 'b']) meet(`user-${i}`, item)
  for (const item of ['a', 'b', 'c']) meet('crawler', item)
  t.equal(index.postings(index.items.get('a')!)!.length, 1002)
  t.equal(index.postings(index.items.get('c')!), undefined)
})

t.test('with all limits small nothing breaks and answers stay sane', async t => {
  const random = seededRandom(5)
  const limits = { items: 12, users: 6, histories: 8, interactions: 32, postings: 3, historyItems: 4, lookBack: 10, stepsPerItem: 2 }
  const { index, query, meet } = indexed(limits)
  for (let i = 0; i < 4000; i++) {
    const user = `u${random.integer(1, 12)}`
    const session = random.next() < 0.3 ? { sessionId: `${user}-${random.integer(1, 3)}` } : {}
    meet(user, `i${random.integer(1, 30)}`, i * minute * random.integer(0, 40), { weight: random.pick([1, 1, 2, -1]), ...session })
    if (index.items.size > limits.items || index.users.size > limits.users) t.fail(`more than the limits at ${i}`)
    const itemId = `i${random.integer(1, 30)}`
    const common = { userId: random.pick([user, 'nobody', undefined]), numResults: 10, excludeSeen: random.next() < 0.5, parameters: { recentItems: 3, sampleSize: 3, neighbours: 2 } }
    for (const answer of [query.recommend(common), query.related(itemId, common), query.rerank([itemId, 'x', 'y'], common)]) {
      const ids = answer.map(({ itemId }) => itemId)
      if (new Set(ids).size !== ids.length || !answer.every(({ score }) => Number.isFinite(score) && score >= 0)) t.fail(`strange at ${i}: ${JSON.stringify(answer)}`)
    }
    if (query.related(itemId, common).some(({ itemId: found }) => found === itemId)) t.fail(`${itemId} is related to itself`)
  }
  t.equal(index.items.size, limits.items)
})
