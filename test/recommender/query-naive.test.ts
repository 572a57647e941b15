import t from 'tap'
import { Query, type UserQuery } from '../../src/recommender/query.ts'
import { SessionIndex, type Interaction } from '../../src/recommender/session-index.ts'
import { naiveKnn } from '../support/naive-knn.ts'
import { seededRandom, type SeededRandom } from '../support/seeded-random.ts'

function randomEvents (random: SeededRandom): Interaction[] {
  const users = random.integer(1, 8)
  const items = random.integer(2, 15)
  const withSessions = random.pick([0, 0.5, 1])
  let time = 1_700_000_000_000
  return Array.from({ length: random.integer(1, 120) }, () => {
    time += random.pick([0, 1000, 29 * 60_000, 40 * 60_000])
    const userId = `u${random.integer(1, users)}`
    return {
      userId,
      ...(random.next() < withSessions ? { sessionId: `${userId}/${random.integer(1, 4)}` } : {}),
      itemId: `i${Math.floor(items * random.next() ** 1.5)}`,
      weight: random.pick([1, 1, 1, 2, 3, 0.5, -1, 0]),
      time
    }
  })
}

function randomQuery (random: SeededRandom): UserQuery {
  return {
    userId: `u${random.integer(1, 9)}`,
    numResults: random.pick([1, 3, 100]),
    excludeSeen: random.next() < 0.5,
    parameters: { recentItems: random.integer(1, 9), sampleSize: random.pick([1, 2, 5, 1500]), neighbours: random.pick([1, 2, 5, 300]) }
  }
}

const near = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-5 * Math.max(Math.abs(a), Math.abs(b)) + 1e-12
const descending = (a: number, b: number): number => b - a

for (let seed = 1; seed <= 60; seed++) {
  const random = seededRandom(seed)
  const events = randomEvents(random)
  const index = new SessionIndex(() => Infinity)
  for (const event of events) index.apply(event)
  const query = new Query(index)
  const naive = naiveKnn(events)
  const asked = Array.from({ length: 5 }, () => randomQuery(random))

  t.test(`recommend-items agrees with the naive reading of the design (seed ${seed})`, async t => {
    for (const request of asked) {
      const scores = naive.scores(request)
      const excluded = naive.excluded(request)
      const expected = [...scores].filter(([item]) => !excluded.has(item)).map(([, score]) => score).sort(descending).slice(0, request.numResults)
      const answer = query.recommend(request)
      const found = answer.filter(({ popular }) => !popular)
      t.ok(found.length === expected.length && found.every(({ itemId, score }, i) => near(score, expected[i]!) && near(score, scores.get(itemId)!)),
        JSON.stringify({ request, found, expected }))

      const filled = answer.slice(found.length)
      const rest = [...naive.popularity].filter(([item]) => !excluded.has(item) && !found.some(({ itemId }) => itemId === item)).slice(0, request.numResults - found.length)
      t.ok(filled.length === rest.length && filled.every(({ itemId }, i) => near(naive.popularity.get(itemId)!, rest[i]![1])), JSON.stringify({ filled, rest }))
      t.notOk(answer.some(({ itemId }) => excluded.has(itemId)))
    }
  })

  t.test(`rerank-items agrees with the naive reading of the design (seed ${seed})`, async t => {
    for (const request of asked) {
      const given = ['new-1', ...Array.from({ length: 8 }, () => `i${random.integer(0, 14)}`), 'new-2']
      const scores = naive.scores(request)
      const disliked = naive.disliked(request.userId)
      const key = (item: string): [number, number] => disliked.has(item) ? [0, -1] : [scores.get(item) ?? 0, naive.popularity.get(item) ?? 0]
      const answer = query.rerank(given, request)
      t.strictSame(answer.map(({ itemId }) => itemId).sort(), [...given].sort())
      t.ok(answer.every(({ itemId, score }) => near(score, key(itemId)[0])), 'each has its score')
      t.ok(answer.slice(1).every(({ itemId }, i) => {
        const [score, popularity] = key(itemId)
        const [above, popularityAbove] = key(answer[i]!.itemId)
        return near(above, score) ? popularityAbove >= popularity || near(popularityAbove, popularity) : above > score
      }), 'best first, disliked last')
      const unknown = answer.filter(({ itemId }) => key(itemId)[0] === 0 && key(itemId)[1] === 0).map(({ itemId }) => itemId)
      t.strictSame(unknown, given.filter(item => unknown.includes(item)), 'the unknown last as given')
    }
  })

  t.test(`related-items are those met together with the item (seed ${seed})`, async t => {
    for (const request of asked) {
      const all = { ...request, numResults: 100, parameters: { recentItems: 4, sampleSize: 1500, neighbours: 300 } }
      const itemId = `i${random.integer(0, 14)}`
      const asker: Interaction = { userId: 'asker', itemId, weight: 1, time: events.at(-1)!.time }
      const together = naiveKnn([...events, asker]).scores({ ...all, userId: 'asker' })
      const excluded = naive.excluded(all).add(itemId)
      const found = query.related(itemId, all).filter(({ popular }) => !popular)
      t.strictSame(found.map(item => item.itemId).sort(), [...together.keys()].filter(item => !excluded.has(item)).sort())
      t.strictSame(found.map(({ score }) => score), found.map(({ score }) => score).sort(descending))
    }
  })
}
