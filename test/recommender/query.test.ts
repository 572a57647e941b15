import t from 'tap'
import { Query, type ScoredItem, type UserQuery } from '../../src/recommender/query.ts'
import { SessionIndex } from '../../src/recommender/session-index.ts'

const parameters = { recentItems: 4, sampleSize: 1500, neighbours: 300 }
const day = 24 * 3600 * 1000

/** A query on sessions given as `user: item item`, one a day; `item*w` has the weight w. */
function learned (...sessions: string[]) {
  const index = new SessionIndex(() => Infinity)
  sessions.forEach((session, n) => {
    const [userId = '', items = ''] = session.split(': ')
    for (const met of items.split(' ')) {
      const [itemId = '', weight = '1'] = met.split('*')
      index.apply({ userId, itemId, weight: Number(weight), time: n * day })
    }
  })
  const query = new Query(index)
  const ask = (userId: string | undefined, more: Partial<UserQuery> = {}): UserQuery => ({ userId, numResults: 25, excludeSeen: true, parameters, ...more })
  return {
    recommend: (userId: string | undefined, more?: Partial<UserQuery>) => query.recommend(ask(userId, more)),
    related: (itemId: string, userId?: string, more?: Partial<UserQuery>) => query.related(itemId, ask(userId, more)),
    rerank: (itemIds: string[], userId: string) => query.rerank(itemIds, ask(userId))
  }
}

const ids = (answer: ScoredItem[]): string[] => answer.map(({ itemId }) => itemId)
const similar = (answer: ScoredItem[]): string[] => ids(answer.filter(({ popular }) => !popular))

t.test('an unknown user gets what is popular now, most popular first', async t => {
  const { recommend } = learned('u: a b', 'v: b c', 'w: b c')
  for (const user of ['nobody', undefined]) {
    const answer = recommend(user)
    t.strictSame(ids(answer), ['b', 'c', 'a'])
    t.ok(answer.every(({ popular }) => popular))
    t.equal(answer[0]!.score, 1)
    t.ok(answer[0]!.score >= answer[1]!.score && answer[1]!.score >= answer[2]!.score && answer[2]!.score > 0)
  }
})

t.test('what similar histories hold comes first, and a short list is filled up with what is popular', async t => {
  const { recommend } = learned('v: a b', 'w1: p q', 'w2: p q', 'w3: p', 'u: a')
  const answer = recommend('u')
  t.strictSame(similar(answer), ['b'])
  t.strictSame(ids(answer), ['b', 'p', 'q'])
  t.strictSame(ids(recommend('u', { numResults: 2 })), ['b', 'p'])
})

t.test('without anything learned there is nothing to answer', async t => {
  const { recommend, related, rerank } = learned()
  t.strictSame(recommend('u'), [])
  t.strictSame(related('a'), [])
  t.strictSame(ids(rerank(['b', 'a'], 'u')), ['b', 'a'])
})

t.test('what the user has seen is dropped, or with excludeSeen off only the last item', async t => {
  const { recommend } = learned('v: a b c', 'u: a b')
  t.strictSame(ids(recommend('u')), ['c'])
  t.strictSame(similar(recommend('u', { excludeSeen: false })).sort(), ['a', 'c'])
})

t.test('the last item is not filled in as a popular one either', async t => {
  const { recommend } = learned('v: a', 'w: a', 'u: a')
  t.strictSame(recommend('u', { excludeSeen: false }), [])
})

t.test('a disliked item is dropped for that user alone, also with excludeSeen off', async t => {
  const { recommend, related } = learned('v: a b c', 'w: a b c', 'u: b*-1 a', 'x: a')
  t.strictSame(ids(recommend('u', { excludeSeen: false })), ['c'])
  t.ok(ids(recommend('x', { excludeSeen: false })).includes('b'))
  t.strictSame(ids(related('c', 'u', { excludeSeen: false })), [], 'nor is it related, nor is the last item')
})

t.test('a weight of zero is a dislike', async t => {
  t.strictSame(ids(learned('v: a b', 'u: b*0 a').recommend('u', { excludeSeen: false })), [])
})

t.test('who comes round to a disliked item sees it again', async t => {
  const { recommend } = learned('v: a b', 'u: b*-1', 'u: b', 'u: a')
  t.strictSame(ids(recommend('u', { excludeSeen: false })), ['b'])
})

t.test('a disliked item says nothing about what the user likes', async t => {
  const { recommend } = learned('v: bad worse', 'u: bad*-1')
  t.strictSame(similar(recommend('u')), [])
})

t.test('an item that others bought counts more than one that they viewed', async t => {
  const [first, second] = learned('v: a viewed bought*3', 'u: a').recommend('u')
  t.strictSame([first!.itemId, second!.itemId], ['bought', 'viewed'])
  t.ok(Math.abs(first!.score / second!.score - 3) < 1e-4)
})

t.test('dislikes of others recommend nothing', async t => {
  t.strictSame(similar(learned('v: a b*-1 c', 'u: a').recommend('u')), ['c'])
})

t.test('the own current session gives no votes, earlier ones do', async t => {
  t.strictSame(similar(learned('u: a b').recommend('u', { excludeSeen: false })), [])
  t.strictSame(similar(learned('u: a b', 'u: a').recommend('u', { excludeSeen: false })), ['b'])
})

t.test('only the last few distinct items ask', async t => {
  const { recommend } = learned('v: old x', 'w: new y', 'u: old', 'u: new')
  t.strictSame(similar(recommend('u', { parameters: { ...parameters, recentItems: 1 } })), ['y'])
  t.strictSame(similar(recommend('u')), ['y', 'x'], 'and the newer counts more')
})

t.test('only so many of the most recent histories are looked at, and only the most similar vote', async t => {
  const { recommend } = learned('v1: a b old', 'v2: a b good', 'v3: b recent', 'u: a b')
  const asked = (sampleSize: number, neighbours: number): string[] => similar(recommend('u', { parameters: { recentItems: 4, sampleSize, neighbours } })).sort()
  t.strictSame(asked(1, 300), ['recent'])
  t.strictSame(asked(2, 300), ['good', 'recent'])
  t.strictSame(asked(1500, 2), ['good', 'old'])
  t.strictSame(asked(1500, 1), ['good'], 'of equal ones the newer')
})

t.test('related items are met together, not merely popular, and never the item itself', async t => {
  const sessions = Array.from({ length: 20 }, (_, n) => `w${n}: hit thing-${n}`)
  const { related } = learned(...sessions, 'v1: rod reel hit', 'v2: rod reel hit', 'v3: rod reel')
  const answer = related('rod')
  t.strictSame(similar(answer), ['reel', 'hit'])
  t.notOk(ids(answer).includes('rod'))
})

t.test('of an unknown item the popular ones are related', async t => {
  const answer = learned('u: a b', 'v: b').related('unknown')
  t.strictSame(ids(answer), ['b', 'a'])
  t.ok(answer.every(({ popular }) => popular))
})

t.test('related items leave out what the user has seen', async t => {
  t.strictSame(ids(learned('v: a b c', 'u: b').related('a', 'u')), ['c'])
})

t.test('a reranked list is the same items: the similar, then the popular, then the unknown in their order', async t => {
  const { rerank } = learned('v: a b', 'w: p', 'x: p q', 'u: a')
  t.strictSame(ids(rerank(['n2', 'q', 'p', 'n1', 'b'], 'u')), ['b', 'p', 'q', 'n2', 'n1'])
  t.strictSame(ids(rerank(['n2', 'q', 'p', 'n1'], 'nobody')), ['p', 'q', 'n2', 'n1'])
  t.strictSame(ids(rerank(['b', 'b', 'x'], 'u')), ['b', 'b', 'x'], 'also where an item is given twice')
})

t.test('an answer does not depend on the one before it', async t => {
  const { recommend, related } = learned('v: a b c', 'w: b c d', 'u: a', 'x: d')
  const before = recommend('u')
  related('b', 'x')
  recommend('x', { excludeSeen: false })
  t.strictSame(recommend('u'), before)
})
