import t from 'tap'
import { Histories } from '../../src/recommender/histories.ts'
import { Query } from '../../src/recommender/query.ts'
import { SessionIndex, type Interaction } from '../../src/recommender/session-index.ts'
import { mostUsersOfSession } from '../../src/recommender/sessions.ts'
import { seededRandom } from '../support/seeded-random.ts'

const parameters = { recentItems: 4, sampleSize: 100, neighbours: 100 }

interface Act { userId?: string, sessionId?: string, itemId: string, weight?: number }

function indexed () {
  const index = new SessionIndex(() => Infinity)
  const query = new Query(index)
  let time = 0
  return {
    index,
    /** Applies an event as the log has it: of a user, of a session, or of both. */
    act: ({ userId, sessionId, itemId, weight = 1 }: Act) => index.apply({ userId: userId ?? sessionId!, sessionId, itemId, weight, time: ++time }),
    /** The items that somebody met, the last one first. */
    met: (id: string): string[] => {
      const user = index.users.get(id)
      return user === undefined ? [] : [...new Set([...index.itemsOfUser(user)].map(([item]) => index.items.id(item)))]
    },
    recommend: (userId: string): string[] => query.recommend({ userId, numResults: 100, excludeSeen: true, parameters }).filter(({ popular }) => !popular).map(({ itemId }) => itemId)
  }
}

t.test('login: a session joins the user at the first event that names both', async t => {
  const { index, act, met } = indexed()
  act({ userId: 'u1', itemId: 'x' })
  act({ sessionId: 's1', itemId: 'a' })
  act({ userId: 'u1', itemId: 'y' })
  act({ sessionId: 's1', itemId: 'b', weight: -1 })
  t.equal(act({ userId: 'u1', sessionId: 's1', itemId: 'd' }), undefined)
  t.strictSame(met('u1'), ['d', 'b', 'y', 'a', 'x'], 'in the order in which it was done')
  t.equal(index.histories.count, 2, 'the history goes on')
  t.strictSame(met('s1'), ['d', 'b', 'a'], 'the session has what was done in it, and nothing else of the user')
  t.equal(act({ sessionId: 's1', itemId: 'e' }), 'u1', 'an event that does not name the user changes his answers')
  t.strictSame(met('u1'), ['e', 'd', 'b', 'y', 'a', 'x'])
  t.strictSame(met('s1'), ['e', 'd', 'b', 'a'])
})

t.test('login: a dislike of the anonymous time counts for the user, and gives way to a later opinion', async t => {
  const { index, act, recommend } = indexed()
  for (const userId of ['v', 'w']) for (const itemId of ['a', 'b', 'c']) act({ userId, itemId })
  act({ sessionId: 's1', itemId: 'b', weight: -1 })
  act({ userId: 'u1', sessionId: 's1', itemId: 'a' })
  t.strictSame(recommend('u1'), ['c'])
  const answer = new Query(index).rerank(['b', 'c'], { userId: 'u1', parameters })
  t.strictSame(answer.map(({ itemId }) => itemId), ['c', 'b'])
})

t.test('login: a second person in the same session inherits nothing', async t => {
  const { act, met } = indexed()
  for (const itemId of ['a', 'b']) act({ sessionId: 's1', itemId })
  act({ userId: 'u1', sessionId: 's1', itemId: 'd' })
  act({ userId: 'u2', sessionId: 's1', itemId: 'x' })
  t.strictSame([met('u1'), met('u2')], [['d', 'b', 'a'], ['x']])
  t.equal(act({ sessionId: 's1', itemId: 'y' }), undefined)
  t.strictSame([met('u1'), met('u2'), met('s1')], [['d', 'b', 'a'], ['x'], ['y']], 'with two users, an event without one is nobody\'s')
  act({ userId: 'u3', sessionId: 's1', itemId: 'z' })
  t.strictSame([met('u3'), met('s1')], [['z'], ['y']])
})

t.test('login: whoever has the id of a session as his own keeps what is his', async t => {
  const { act, met } = indexed()
  act({ userId: 'u2', itemId: 'mine' })
  act({ sessionId: 'u2', itemId: 'bait' })
  act({ userId: 'thief', sessionId: 'u2', itemId: 'x' })
  t.strictSame(met('thief'), ['x', 'bait'])
  t.strictSame(met('u2'), ['mine'])
})

t.test('a client that sends the session as the user, too, is anonymous', async t => {
  const { act, met } = indexed()
  act({ userId: 's1', sessionId: 's1', itemId: 'a' })
  act({ userId: 'u1', sessionId: 's1', itemId: 'b' })
  t.strictSame(met('u1'), ['b', 'a'])
})

t.test('a constant session of everybody merges no histories: each user keeps his own taste', async t => {
  const { index, act, met, recommend } = indexed()
  const tastes = Array.from({ length: 20 }, (_, taste) => Array.from({ length: 8 }, (_, i) => `taste${taste}-${i}`))
  const visitors = tastes.flatMap((items, taste) => Array.from({ length: 6 }, (_, n) => ({ userId: `u${taste}-${n}`, items: items.filter((_, i) => (i + n) % 6 > 1) })))
  const random = seededRandom(3)
  // Everybody acts at the same time.
  const acts = visitors.flatMap(({ userId, items }) => items.map(itemId => ({ userId, itemId, at: random.next() }))).sort((a, b) => a.at - b.at)
  for (const { userId, itemId } of acts) act({ userId, itemId, sessionId: 'undefined' })
  for (const { userId, items } of visitors) {
    t.strictSame(new Set(met(userId)), new Set(items))
    const [, taste] = /^u(\d+)/.exec(userId)!
    const answer = recommend(userId)
    if (answer.length === 0 || !answer.every(itemId => itemId.startsWith(`taste${taste!}-`))) t.fail(`${userId}: ${answer.join()}`)
  }
  t.ok(index.histories.isShared('undefined'))
})

t.test('a shared session counts for nobody, whether it was anonymous before or not', async t => {
  const { index, act, met } = indexed()
  const anonymous = (itemId: string) => act({ sessionId: 'web', itemId })
  const named = (userId: string, itemId: string) => act({ userId, sessionId: 'web', itemId })
  anonymous('a')
  named('u1', 'x')
  anonymous('b')
  named('u1', 'b')
  t.strictSame(met('u1'), ['b', 'x', 'a'])
  named('u2', 'y')
  anonymous('c')
  named('u3', 'z')
  t.notOk(index.histories.isShared('web'), `${mostUsersOfSession} users may share a device`)
  t.equal(named('u4', 'q'), 'u1', 'answers for the first user change')
  t.ok(index.histories.isShared('web'))
  t.strictSame(['u1', 'u2', 'u3', 'u4', 'web'].map(met), [['b', 'x'], ['y'], ['z'], ['q'], []], 'each user keeps what he did himself')
  anonymous('d')
  named('u1', 'r')
  t.strictSame([met('u1'), met('web')], [['r', 'b', 'x'], []])
  t.ok(index.popularity.log(index.items.get('d')!) > 0, 'the item was met all the same')
  const before = index.histories.count
  act({ userId: 'u5', sessionId: 'web', itemId: 'a' })
  act({ userId: 'u5', sessionId: 'web', itemId: 'b' })
  t.equal(index.histories.count, before + 1, 'as if there were no session id')
})

t.test('shared sessions are remembered in bounded memory', async t => {
  const histories = new Histories(8, 10)
  for (let i = 0; i < 10_001; i++) histories.share(`s${i}`)
  t.notOk(histories.isShared('s0'))
  t.ok(histories.isShared('s1') && histories.isShared('s10000'))
})

t.test('the users of a session are forgotten with its histories', async t => {
  const histories = new Histories(4, 10)
  const [one, two] = [histories.begin('s', 'u1'), histories.begin('s', 'u2')]
  t.strictSame([histories.ofSession('s'), histories.earlierInSession(two), histories.earlierInSession(one)], [two, one, 0])
  t.strictSame([histories.userOf(one), histories.userOf(two)], ['u1', 'u2'])
  for (let i = 0; i < 3; i++) histories.begin(undefined)
  t.strictSame([histories.ofSession('s'), histories.earlierInSession(two)], [two, 0])
  histories.begin(undefined)
  t.equal(histories.ofSession('s'), undefined)
})

/** Whose each event is, by the rules of the documentation: an owner's id, or undefined for nobody. Read from all events, without an index. */
function naiveOwners (acts: readonly Act[]): Map<string, string[]> {
  const users = new Map<string, Set<string>>()
  const owners: Array<string | undefined> = acts.map(() => undefined)
  for (const [i, { userId, sessionId }] of acts.entries()) {
    const ofSession = sessionId === undefined ? new Set<string>() : users.get(sessionId) ?? new Set()
    if (sessionId !== undefined) users.set(sessionId, ofSession)
    const earlier = acts.map((_, j) => j).filter(j => j < i && acts[j]!.sessionId === sessionId && acts[j]!.userId === undefined)
    if (userId === undefined) {
      owners[i] = ofSession.size === 1 ? [...ofSession][0] : ofSession.size > mostUsersOfSession ? undefined : sessionId
      continue
    }
    owners[i] = userId
    if (sessionId === undefined) continue
    if (ofSession.size === 0) for (const j of earlier) owners[j] = userId
    ofSession.add(userId)
    if (ofSession.size > mostUsersOfSession) for (const j of earlier) owners[j] = undefined
  }
  const met = new Map<string, string[]>()
  for (const [i, owner] of owners.entries()) if (owner !== undefined) met.set(owner, [acts[i]!.itemId, ...(met.get(owner) ?? [])])
  return met
}

for (let seed = 1; seed <= 40; seed++) {
  t.test(`histories belong to whom the documentation says (seed ${seed})`, async t => {
    const random = seededRandom(seed)
    const { act, met } = indexed()
    const users = random.integer(1, 7)
    const acts = Array.from({ length: random.integer(1, 80) }, (): Act => {
      const sessionId = `s${random.integer(1, 4)}`
      const user = { userId: `u${random.integer(1, users)}` }
      return { ...random.pick([{ sessionId }, { sessionId }, { sessionId, ...user }, user]), itemId: `i${random.integer(1, 25)}` }
    })
    for (const [i, given] of acts.entries()) {
      act(given)
      const expected = naiveOwners(acts.slice(0, i + 1))
      for (let n = 1; n <= users; n++) {
        const found = met(`u${n}`).sort()
        const items = [...new Set(expected.get(`u${n}`) ?? [])].sort()
        if (found.join() !== items.join()) return t.strictSame(found, items, JSON.stringify(acts.slice(0, i + 1)))
      }
    }
    t.pass('all of them')
  })
}

t.test('with all limits small, sessions of several users break nothing', async t => {
  const random = seededRandom(11)
  const limits = { items: 12, users: 6, histories: 8, interactions: 32, postings: 3, historyItems: 4, lookBack: 10, stepsPerItem: 2 }
  const index = new SessionIndex(() => Infinity, limits)
  const query = new Query(index)
  for (let i = 0; i < 20_000; i++) {
    const sessionId = random.next() < 0.8 ? `s${random.integer(1, 6)}` : undefined
    const userId = sessionId !== undefined && random.next() < 0.5 ? sessionId : `u${random.integer(1, 9)}`
    const event: Interaction = { userId, sessionId, itemId: `i${random.integer(1, 30)}`, weight: random.pick([1, 1, 2, -1]), time: i * 60_000 * random.integer(0, 40) }
    index.apply(event)
    const common = { userId: random.pick([userId, sessionId, 'u1']), numResults: 10, excludeSeen: random.next() < 0.5, parameters: { recentItems: 3, sampleSize: 3, neighbours: 2 } }
    const ids = query.recommend(common).map(({ itemId }) => itemId)
    const isLast = common.userId === userId && !(userId === sessionId && index.histories.isShared(sessionId))
    if (new Set(ids).size !== ids.length || (isLast && ids.includes(event.itemId))) t.fail(`strange at ${i}: ${ids.join()}`)
  }
  t.ok(index.users.size <= limits.users && index.items.size <= limits.items)
})
