import t, { type Test } from 'tap'
import { createRecommender, type Model, type RecommenderOptions } from '../../src/recommender/recommender.ts'
import type { LoggedEvent } from '../../src/recommender/event-log.ts'
import type { Peers } from '../../src/connections/peers.ts'
import { eventually } from '../support/eventually.ts'
import { loggedEvent } from '../support/logged-event.ts'
import { keyOf, memoryLog, type MemoryLog } from '../support/memory-log.ts'

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
  log.onRead = () => {
    if (log.reads !== 2) return
    log.events.push(met('early', 1))
    void log.markImported()
  }
  const model = await recommender.model({})
  t.ok(known(model).has('late'))
  await eventually('the imported event is learned', () => known(model).has('early'))
})

/** Peers of which a test plays the others. */
function testPeers (): Peers & { told: unknown[], hear: (message: unknown) => void } {
  const handlers = new Set<(message: never) => unknown>()
  const told: unknown[] = []
  return {
    told,
    tell: async (_topic, message) => [told.push(message)],
    on (_topic, handle) {
      handlers.add(handle)
      return () => { handlers.delete(handle) }
    },
    hear (message) { for (const handle of handlers) handle(message as never) }
  }
}

const named = (event: LoggedEvent): { name: string, event: LoggedEvent } => ({ name: keyOf(event.sentAt).toString('latin1'), event })

t.test('what another process logs is learned when it tells, once, whether the log was read before or after', async t => {
  const peers = testPeers()
  const started = Date.now()
  const [before, between, after] = [met('a', started), met('b', started + 1), met('c', started + 2)]
  const log = memoryLog(before)
  const recommender = learner(t, log, { peers })
  log.onRead = () => {
    if (log.reads !== 1) return
    log.events.push(between)
    peers.hear([named(between)])
  }
  const model = await recommender.model({})
  peers.hear([named(before)])
  log.events.push(after)
  peers.hear([named(after)])
  t.strictSame(Object.fromEntries(known(model)), { a: 1, b: 1, c: 1 })
  await recommender.learn([met('d', started + 3)])
  t.strictSame(peers.told, [[named(log.events.at(-1)!)]], 'and it tells what it has logged itself')
})

t.test('what another process has logged and not told yet is no import', async t => {
  const log = memoryLog(met('a', 1))
  let polls = 0
  Object.defineProperty(log, 'imported', { get: () => `import ${Number(++polls === -1)}` })
  const recommender = learner(t, log)
  await recommender.model({})
  const { reads } = log
  log.events.push(met('b', 2))
  const before = polls
  await eventually('it was looked for imports', () => polls > before + 5)
  t.equal(log.reads, reads)
})

t.test('a failure to learn an import is told, and the old model goes on', async t => {
  const log = memoryLog(met('a', 1))
  const errors: unknown[] = []
  const recommender = learner(t, log, { onError: error => errors.push(error) })
  const model = await recommender.model({})
  log.onRead = () => { throw new Error('disk broken') }
  log.events.push(met('b', 2))
  await log.markImported()
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
