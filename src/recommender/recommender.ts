import { setImmediate } from 'node:timers/promises'
import { createPool, type Lease } from '../pool.ts'
import { type EventLog, type LogEntry, type LoggedEvent } from './event-log.ts'
import { Query } from './query.ts'
import { SessionIndex } from './session-index.ts'

/** How much an event type counts; 1 where a type is not named, zero or less for a dislike. */
export type EventWeights = Readonly<Record<string, number>>

/** What answers queries with one set of event weights. */
export interface Model {
  readonly query: Query
}

/** The recommender of one namespace: its log, and a model learned from it for each set of event weights in use. */
export interface Recommender {
  /** Logs events, then learns from those that are new. Resolves once they are safe (see EventLog.append). */
  learn: (events: readonly LoggedEvent[]) => Promise<void>
  /** The model for a set of weights, learned from the whole log the first time. */
  model: (weights: EventWeights) => Promise<Lease<Model>>
  readonly events: number
  close: () => Promise<void>
}

export interface RecommenderOptions {
  now: () => number
  /** Told when a model could not be learned anew after an import. */
  onError: (error: unknown) => void
  /** How often to look whether events were imported behind our back, in ms. */
  importPoll?: number
}

interface LearningModel extends Model {
  index: SessionIndex
  query: Query
  weights: EventWeights
}

/** A model that is still reading the log, while events go on coming. */
interface Apprentice {
  index: SessionIndex
  weights: EventWeights
  /** Keys of events that arrived meanwhile and are applied as they arrive: the reading leaves them out. */
  live: Set<string>
}

const readAtOnce = 2_000

export function createRecommender (log: EventLog, { now, onError, importPoll = 1_000 }: RecommenderOptions): Recommender {
  const models = new Set<LearningModel>()
  const apprentices = new Set<Apprentice>()
  const uncommitted = new Set<string>()
  const pool = createPool<LearningModel>(async model => { models.delete(model) })
  let generation = log.generation
  const stopping = new AbortController()

  /** @param adopt takes the finished index over, in the same breath, so that no event falls between */
  async function learnFromLog<T> (weights: EventWeights, adopt: (index: SessionIndex) => T): Promise<T> {
    const apprentice: Apprentice = { index: new SessionIndex(now), weights, live: new Set(uncommitted) }
    apprentices.add(apprentice)
    try {
      let last: Buffer | undefined
      for (let batch = log.read(last, readAtOnce); batch.length > 0; batch = log.read(last, readAtOnce)) {
        stopping.signal.throwIfAborted()
        for (const entry of batch) {
          if (!apprentice.live.has(name(entry.key))) apply(apprentice, entry.event)
        }
        last = batch.at(-1)!.key
        await setImmediate()
      }
      return adopt(apprentice.index)
    } finally {
      apprentices.delete(apprentice)
    }
  }

  async function openModel (weights: EventWeights): Promise<LearningModel> {
    return learnFromLog(weights, index => {
      const model = { index, weights, query: new Query(index) }
      models.add(model)
      return model
    })
  }

  async function learnAnew (): Promise<void> {
    for (const model of models) {
      await learnFromLog(model.weights, index => Object.assign(model, { index, query: new Query(index) }))
    }
  }

  // Events of the past may have been imported anywhere in time, and the index wants them in order: it is built anew beside the old.
  let learning = Promise.resolve()
  const watch = setInterval(() => {
    if (log.generation === generation) return
    generation = log.generation
    learning = learning.then(learnAnew).catch(error => {
      if (!stopping.signal.aborted) onError(error)
    })
  }, importPoll).unref()

  return {
    async learn (events) {
      let keys: string[] = []
      let added: LogEntry[]
      try {
        added = await log.append(events, settled => {
          keys = settled.map(name)
          for (const key of keys) {
            uncommitted.add(key)
            for (const { live } of apprentices) live.add(key)
          }
        })
      } finally {
        for (const key of keys) uncommitted.delete(key)
      }
      for (const { event } of added) {
        for (const learner of [...models, ...apprentices]) apply(learner, event)
      }
    },
    model: async weights => pool.acquire(profile(weights), async () => openModel(weights)),
    get events () { return log.count },
    async close () {
      stopping.abort()
      clearInterval(watch)
      await learning
      await pool.close()
      await log.close()
    }
  }
}

function apply ({ index, weights }: { index: SessionIndex, weights: EventWeights }, event: LoggedEvent): void {
  const userId = event.userId ?? event.sessionId
  if (userId === undefined) return
  index.apply({
    userId,
    sessionId: event.sessionId,
    itemId: event.itemId,
    weight: Object.hasOwn(weights, event.eventType) ? weights[event.eventType]! : 1,
    time: event.sentAt
  })
}

function profile (weights: EventWeights): string {
  return JSON.stringify(Object.entries(weights).sort(([a], [b]) => a < b ? -1 : 1))
}

function name (key: Buffer): string {
  return key.toString('latin1')
}
