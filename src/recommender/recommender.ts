import { setImmediate } from 'node:timers/promises'
import { beginTurns, createSequence } from '../base/turns.ts'
import { noPeers, type Peers } from '../connections/peers.ts'
import { timeOfKey, type Appended, type EventLog, type LogEntry, type LoggedEvent } from './event-log.ts'
import { Query } from './query.ts'
import { SessionIndex } from './session-index.ts'

/** Weights by event type. A type that is absent has weight 1; a weight of zero or less means a dislike. */
export type EventWeights = Readonly<Record<string, number>>

/** A model with one set of event weights. */
export interface Model {
  readonly query: Query
}

/** The recommender of one namespace: its log, and a model learned from it for each set of event weights in use. */
export interface Recommender {
  /** Logs events, then learns from the new ones. Resolves once they are committed (see EventLog.append). */
  learn: (events: readonly LoggedEvent[]) => Promise<void>
  /** Creates a model from the whole log. From then on, the model learns from every event. */
  model: (weights: EventWeights) => Promise<Model>
  forget: (model: Model) => void
  close: () => Promise<void>
}

/** A logged event, as processes announce it to each other. */
interface Learned {
  /** Its key in the log. */
  name: string
  event: LoggedEvent
}

export interface RecommenderOptions {
  now: () => number
  /** The other processes that learn from the same log; `topic` names their announcements of events. */
  peers?: Peers
  topic?: string
  /** Receives the error if a model could not be rebuilt after an import. */
  onError: (error: unknown) => void
  /** Receives the id of the import that the models include: at the start, and after each rebuild. */
  onImported?: (name: string) => void
  /**
   * Receives users whom an event does not name although it changes their answers: an event of a session without a user may belong to the
   * session's user. `learn` waits for it.
   * @param everywhere false if the process that took the event tells all others
   */
  onAffected?: (userIds: ReadonlySet<string>, everywhere: boolean) => Promise<void>
  /** Receives the session of an event that this process took, if too many users share the session. */
  onShared?: (sessionId: string) => void
  /** Interval of checks for an import by another process, in ms. */
  importPoll?: number
}

interface Learner {
  index: SessionIndex
  readonly weights: EventWeights
  /** Keys of the newest events that were read from the log. Another process may still announce them; they must not count twice. */
  read: ReadonlySet<string>
}

type LearnedModel = Learner & { query: Query }

/** A model that is still reading the log, while new events arrive. */
interface Apprentice extends Learner {
  /** Keys of events that arrived meanwhile. They are applied on arrival, so the reader of the log skips them. */
  live: Set<string>
}

/** Events per batch, about 5 ms of work: requests between batches are hardly delayed. */
const readAtOnce = 400

/** Time within which another process announces an event, in ms. */
const tellWithin = 10_000

/** Creates the recommender of a log. */
export function createRecommender (log: EventLog, { now, onError, peers = noPeers, topic = 'learned', onImported = () => {}, onAffected = async () => {}, onShared = () => {}, importPoll = 1_000 }: RecommenderOptions): Recommender {
  const models = new Set<LearnedModel>()
  const apprentices = new Set<Apprentice>()
  const uncommitted = new Set<string>()
  const stopping = new AbortController()
  let imported = log.imported
  onImported(imported)
  // Models are read from the log one after the other.
  let learning: Promise<unknown> = Promise.resolve()

  /** Builds an index from the log. @param adopt takes the finished index over, synchronously, so that no event is lost in between */
  async function learnFromLog<T> (weights: EventWeights, adopt: (learned: Pick<Learner, 'index' | 'read'>) => T): Promise<T> {
    const read = new Set<string>()
    const apprentice: Apprentice = { index: new SessionIndex(now), weights, live: new Set(uncommitted), read }
    const newest = now() - tellWithin
    apprentices.add(apprentice)
    try {
      let last: Buffer | undefined
      for (let batch = log.read(last, readAtOnce); batch.length > 0; batch = log.read(last, readAtOnce)) {
        stopping.signal.throwIfAborted()
        for (const entry of batch) {
          const name = nameOf(entry.key)
          if (apprentice.live.has(name)) continue
          apply(apprentice, entry.event)
          if (timeOfKey(entry.key) >= newest) read.add(name)
        }
        last = batch.at(-1)!.key
        await setImmediate()
      }
      // After this time, no process announces these events any more.
      setTimeout(() => { read.clear() }, tellWithin).unref()
      return adopt(apprentice)
    } finally {
      apprentices.delete(apprentice)
    }
  }

  // Imported events may be anywhere in time, and an index needs events in order of time: new indexes are built beside the old ones.
  async function learnAnew (): Promise<void> {
    const name = log.imported
    for (const model of models) {
      await learnFromLog(model.weights, ({ index, read }) => Object.assign(model, { index, read, query: new Query(index) }))
    }
    onImported(name)
  }

  function lookForImports (): void {
    if (log.imported === imported) return
    imported = log.imported
    enqueue(learnAnew).catch(error => { if (!stopping.signal.aborted) onError(error) })
  }

  async function enqueue<T> (task: () => Promise<T>): Promise<T> {
    const result = learning.then(task)
    learning = result.catch(() => {})
    return result
  }

  /** Applies events that another process has logged and announced, without reading the log. */
  async function learnFromOthers (learned: Learned[]): Promise<void> {
    const affected = new Set<string>()
    for (const { name, event } of learned) {
      for (const { live } of apprentices) live.add(name)
      for (const learner of [...models, ...apprentices]) if (!learner.read.has(name)) apply(learner, event, affected)
    }
    if (affected.size > 0) await onAffected(affected, false)
  }

  function isShared (sessionId: string | undefined): sessionId is string {
    return sessionId !== undefined && [...models].some(({ index }) => index.histories.isShared(sessionId))
  }

  const inSequence = createSequence()
  /** The calls of `learn` that apply events, or wait for that. Together they are one long task, however few events each of them has. */
  let applying = 0
  let turn = beginTurns()

  /** Applies events that the log has, in slices, and notes the users whose answers are out of date because of them. The caller sees to it that calls do not overlap, so that the order of arrival stays. */
  async function applyAll (added: readonly LogEntry[], affected: Set<string>): Promise<void> {
    for (const { key, event } of added) {
      if (turn.over) await turn.next()
      for (const learner of [...models, ...apprentices]) apply(learner, event, affected)
      if (isShared(event.sessionId)) onShared(event.sessionId)
      uncommitted.delete(nameOf(key))
    }
  }

  const stopListening = peers.on(topic, learnFromOthers)
  const watch = setInterval(lookForImports, importPoll).unref()

  return {
    async learn (events) {
      let keys: string[] = []
      let appended: Appended
      const affected = new Set<string>()
      try {
        const onWriting = (settled: Buffer[]): void => {
          keys = settled.map(nameOf)
          for (const key of keys) {
            uncommitted.add(key)
            for (const { live } of apprentices) live.add(key)
          }
        }
        appended = await log.append(events, { onWriting })
        const { added } = appended
        // A model that begins to read the log meanwhile gets an event from here or from the log: from the log once it is applied here.
        if (applying++ === 0) turn = beginTurns()
        try {
          await inSequence(async () => applyAll(added, affected))
        } finally {
          applying--
        }
      } finally {
        for (const key of keys) uncommitted.delete(key)
      }
      if (appended.added.length > 0) await peers.tell(topic, appended.added.map(({ key, event }): Learned => ({ name: nameOf(key), event })))
      if (affected.size > 0) await onAffected(affected, true)
      await appended.others
    },
    model: async weights => enqueue(async () => learnFromLog(weights, ({ index, read }) => {
      const model = { index, weights, read, query: new Query(index) }
      models.add(model)
      return model
    })),
    forget (model) { models.delete(model as LearnedModel) },
    async close () {
      stopping.abort()
      clearInterval(watch)
      stopListening()
      await learning
      await log.close()
    }
  }
}

/** @param affected gets the user, besides the one that the event names, whose answers it changes */
function apply ({ index, weights }: Learner, event: LoggedEvent, affected?: Set<string>): void {
  const userId = event.userId ?? event.sessionId
  if (userId === undefined) return
  const other = index.apply({
    userId,
    sessionId: event.sessionId,
    itemId: event.itemId,
    weight: Object.hasOwn(weights, event.eventType) ? weights[event.eventType]! : 1,
    time: event.sentAt
  })
  if (other !== undefined) affected?.add(other)
}

function nameOf (key: Buffer): string {
  return key.toString('latin1')
}
