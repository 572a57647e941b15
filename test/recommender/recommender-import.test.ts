import t, { type Test } from 'tap'
import { createRecommender, type Model, type RecommenderOptions } from '../../src/recommender/recommender.ts'
import { eventually } from '../support/eventually.ts'
import { loggedEvent } from '../support/logged-event.ts'
import { memoryLog, type MemoryLog } from '../support/memory-log.ts'

const parameters = { recentItems: 4, sampleSize: 100, neighbours: 100 }

function learner (t: Test, log: MemoryLog, options: Partial<RecommenderOptions> = {}) {
  const recommender = createRecommender(log, { now: Date.now, onError: error => { throw error }, importPoll: 1, ...options })
  t.teardown(recommender.close)
  return recommender
}

const met = (itemId: string, sentAt: number) => loggedEvent(`${itemId}-${sentAt}`, { userId: `u${sentAt}`, itemId, sentAt })

/** How much each item was met. */
const known = (model: Model): Map<string, number> => {
  const answer = model.query.recommend({ userId: undefined, numResults: 99, excludeSeen: false, parameters })
  const least = answer.at(-1)?.score ?? 1
  return new Map(answer.map(({ itemId, score }) => [itemId, Math.round(score / least)]))
}

t.test('an event that is being written when the reading begins is counted once', async t => {
  const log = memoryLog(met('once', 1), met('other', 2))
  const recommender = learner(t, log)
  let commit = (): void => {}
  log.committing = new Promise(resolve => { commit = resolve })
  const event = met('once-too', 3)
  const learned = recommender.learn([event])
  // It can be read before its writer knows.
  log.onRead = () => { if (log.reads === 2) log.events.push(event) }
  const model = await recommender.model({})
  commit()
  await learned
  t.strictSame(Object.fromEntries(known(model)), { once: 1, other: 1, 'once-too': 1 })
})

t.test('events that arrive behind and before what was read are counted once', async t => {
  const log = memoryLog(met('a', 10), met('b', 20))
  const recommender = learner(t, log)
  let learning: Promise<void> | undefined
  let learned = false
  log.onRead = () => {
    if (log.reads === 3) learning = recommender.learn([met('behind', 5), met('before', 1000)]).then(() => { learned = true })
    // The reading goes on until the event was taken.
    if (log.reads >= 3 && !learned) log.events.push(met(`more-${log.reads}`, 20 + log.reads))
  }
  const model = await recommender.model({})
  await learning
  t.equal(known(model).get('behind'), 1)
  t.equal(known(model).get('before'), 1)
})

t.test('an import while a model reads the log is learned by that model too', async t => {
  const log = memoryLog(met('late', 1000))
  const recommender = learner(t, log)
  log.onRead = () => { if (log.reads === 2) log.events.push(met('early', 1)) }
  const model = await recommender.model({})
  t.ok(known(model).has('late'))
  await eventually('the imported event is learned', () => known(model).has('early'))
})

t.test('a failure to learn an import is told, and the old model goes on', async t => {
  const log = memoryLog(met('a', 1))
  const errors: unknown[] = []
  const recommender = learner(t, log, { onError: error => errors.push(error) })
  const model = await recommender.model({})
  log.onRead = () => { throw new Error('disk broken') }
  log.events.push(met('b', 2))
  await eventually('the failure is told', () => errors.length > 0)
  t.match(errors[0], { message: 'disk broken' })
  t.strictSame([...known(model).keys()], ['a'])
})

t.test('closing ends a learning under way', async t => {
  const log = memoryLog(met('a', 1))
  const recommender = learner(t, log)
  log.onRead = () => { log.events.push(met('more', 1 + log.reads)) }
  const refused = t.rejects(recommender.model({}))
  await recommender.close()
  await refused
})
