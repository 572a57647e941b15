import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openEventLog, type EventLog, type LoggedEvent } from '../../src/recommender/event-log.ts'
import { createRecommender, type EventWeights, type Model, type Recommender, type RecommenderOptions } from '../../src/recommender/recommender.ts'
import { eventually } from '../support/eventually.ts'
import { loggedEvent } from '../support/logged-event.ts'

const start = 1_700_000_000_000
const onError = (error: unknown): void => { throw error }
const parameters = { recentItems: 4, sampleSize: 100, neighbours: 100 }

async function open (t: Test, options: Partial<RecommenderOptions> = {}) {
  const directory = join(t.testdir(), 'log')
  const recommender = createRecommender(await openEventLog(directory, { now: () => start + 1e9, onError }), { now: () => start + 1e9, onError: error => { throw error }, importPoll: 5, ...options })
  t.teardown(recommender.close)
  return { recommender, directory, ...asking(recommender) }
}

function asking (recommender: Recommender) {
  const models = new Map<string, Promise<Model>>()
  async function recommend (userId: string, weights: EventWeights = {}) {
    const key = JSON.stringify(weights)
    const learned = models.get(key) ?? recommender.model(weights)
    models.set(key, learned)
    const model = await learned
    return model.query.recommend({ userId, numResults: 100, excludeSeen: true, parameters })
  }
  return {
    recommend,
    similar: async (userId: string, weights?: EventWeights) => (await recommend(userId, weights)).filter(({ popular }) => !popular).map(({ itemId }) => itemId)
  }
}

let written = 0
const met = (userId: string, itemId: string, more: Partial<LoggedEvent> = {}): LoggedEvent =>
  loggedEvent(`e${++written}`, { userId, itemId, sentAt: start + written, ...more })

/** How much one item is met, read from the popularity of two: the other is met once. */
async function timesMet (recommend: ReturnType<typeof asking>['recommend'], itemId: string, other: string): Promise<number> {
  const scores = new Map((await recommend('nobody')).map(({ itemId, score }) => [itemId, score]))
  return scores.get(itemId)! / scores.get(other)!
}

t.test('an event is learned as soon as it is taken', async t => {
  const { recommender, similar } = await open(t)
  t.strictSame(await similar('u'), [])
  await recommender.learn([met('v', 'a'), met('v', 'b')])
  await recommender.learn([met('u', 'a')])
  t.strictSame(await similar('u'), ['b'])
})

t.test('what was learned is there after a restart', async t => {
  const directory = join(t.testdir(), 'log')
  const before = createRecommender(await openEventLog(directory, { now: () => start + 1e9, onError }), { now: Date.now, onError: () => {} })
  await before.learn([met('v', 'a'), met('v', 'b'), met('u', 'a')])
  await before.close()
  const recommender = createRecommender(await openEventLog(directory, { now: () => start + 1e9, onError }), { now: Date.now, onError: () => {} })
  t.teardown(recommender.close)
  t.strictSame(await asking(recommender).similar('u'), ['b'])
})

t.test('a duplicate of an event counts once, also at once', async t => {
  const { recommender, recommend } = await open(t)
  await recommend('nobody')
  const event = met('u', 'a', { sentAt: start })
  await recommender.learn([met('v', 'b', { sentAt: start }), event, event])
  await Promise.all([recommender.learn([event]), recommender.learn([event])])
  t.equal(await timesMet(recommend, 'a', 'b'), 1)
})

t.test('a visitor without an account is known by the session', async t => {
  const { recommender, similar } = await open(t)
  await recommender.learn([met('v', 'a'), met('v', 'b'), { ...met('', 'a', { sessionId: 's' }), userId: undefined }])
  t.strictSame(await similar('s'), ['b'])
})

t.test('an event without user and session teaches nothing and harms nothing', async t => {
  const { recommender, recommend } = await open(t)
  await recommender.learn([{ ...met('', 'lost'), userId: undefined }, met('v', 'a')])
  t.strictSame((await recommend('nobody')).map(({ itemId }) => itemId), ['a'])
})

t.test('each set of weights has a model of its own, which goes on learning', async t => {
  const { recommender, recommend } = await open(t)
  await recommender.learn([met('v', 'seen'), met('v', 'bought', { eventType: 'purchase' })])
  const best = async (weights: EventWeights): Promise<string> => (await recommend('nobody', weights))[0]!.itemId
  t.equal(await best({ view: 5, purchase: 1 }), 'seen')
  t.equal(await best({ view: 1, purchase: 5 }), 'bought')
  await recommender.learn([met('w', 'new', { eventType: 'cart' })])
  t.equal(await best({ view: 5, purchase: 1, cart: 10 }), 'new')
  t.equal((await recommend('nobody', { view: 5, purchase: 1 })).length, 3)
})

t.test('an event type is weighed by its own name only', async t => {
  const { recommender, recommend } = await open(t)
  await recommender.learn([met('u', 'x', { eventType: 'constructor' }), met('u', 'y')])
  t.strictSame((await recommend('nobody')).map(({ itemId }) => itemId).sort(), ['x', 'y'])
})

t.test('a model that was forgotten learns nothing more, and no other is touched', async t => {
  const { recommender } = await open(t)
  const [forgotten, kept] = [await recommender.model({}), await recommender.model({})]
  await recommender.learn([met('v', 'a')])
  recommender.forget(forgotten)
  await recommender.learn([met('v', 'b')])
  const known = ({ query }: Model) => query.recommend({ userId: undefined, numResults: 9, excludeSeen: true, parameters }).length
  t.equal(known(kept), 2)
  t.equal(known(forgotten), 1)
})

t.test('what was imported behind its back is learned anew', async t => {
  const { recommender, directory, similar, recommend } = await open(t)
  await recommender.learn([met('u', 'a')])
  t.strictSame(await similar('u'), [])
  const other = await openEventLog(directory, { now: () => start + 1e9, onError })
  t.teardown(other.close)
  await other.append([met('v', 'a', { sentAt: start - 1e6 }), met('v', 'b', { sentAt: start - 1e6 + 1 })], { timeOf: ({ sentAt }) => sentAt })
  await other.markImported()
  await eventually('the import is learned', async () => (await similar('u')).includes('b'))
  await recommender.learn([met('w', 'a'), met('w', 'c')])
  t.strictSame((await similar('u')).sort(), ['b', 'c'], 'and events are still learned as they come')
  t.equal(await timesMet(recommend, 'a', 'b').then(Math.round), 3)
})

t.test('an import is learned also while events keep coming', async t => {
  const { recommender, directory, similar } = await open(t, { importPoll: 50 })
  await recommender.learn([met('u', 'a')])
  t.strictSame(await similar('u'), [])
  const other = await openEventLog(directory, { now: () => start + 1e9, onError })
  t.teardown(other.close)
  await other.append([met('v', 'a', { sentAt: start - 1e6 }), met('v', 'b', { sentAt: start - 1e6 + 1 })], { timeOf: ({ sentAt }) => sentAt })
  await other.markImported()
  await t.resolves(eventually('the import is learned', async () => {
    await recommender.learn([met('somebody', 'else')])
    return (await similar('u')).includes('b')
  }, 2_000))
})

t.test('events that arrive while it learns from the log are counted once', async t => {
  const { recommender, recommend } = await open(t)
  const user = (i: number): string => `user-${i}`
  await recommender.learn([met('v', 'once', { sentAt: start })])
  const old = Array.from({ length: 6000 }, (_, i) => met(user(i), 'often', { sentAt: start }))
  await recommender.learn(old)
  // Learning takes several turns of the event loop; the new events lie before, between and after what it has read.
  const learning = recommend('nobody')
  const arriving = Array.from({ length: 60 }, (_, i) => recommender.learn([met(user(6000 + i), 'often', { sentAt: start - 30 + i })]))
  await Promise.all([learning, ...arriving])
  t.ok(Math.abs(await timesMet(recommend, 'often', 'once') - 6060) < 1)
})

t.test('an event that could not be written is not learned, and the caller knows', async t => {
  const { recommend, directory } = await open(t)
  const full: EventLog = { ...await openEventLog(directory, { now: () => start + 1e9, onError }), append: async (events, { onWriting } = {}) => { onWriting?.(events.map(() => Buffer.from('k'))); throw new Error('disk full') } }
  const failing = createRecommender(full, { now: Date.now, onError: () => {} })
  t.teardown(failing.close)
  const model = await failing.model({})
  await t.rejects(failing.learn([met('u', 'a')]), { message: 'disk full' })
  t.strictSame(model.query.recommend({ userId: undefined, numResults: 5, excludeSeen: true, parameters }), [])
  t.strictSame(await recommend('nobody'), [])
})
