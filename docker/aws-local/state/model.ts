import { parseTime } from '../../../src/base/time.ts'
import { readRecords } from '../../../src/records/read-records.ts'
import { Query, type ScoredItem } from '../../../src/recommender/query.ts'
import { SessionIndex } from '../../../src/recommender/session-index.ts'

/** The model behind all answers: the embedded recommender, which learns from a file, and from events as they arrive. */
export interface Model {
  learn: (event: ModelEvent) => void
  recommend: (userId: string | undefined, numResults: number) => ScoredItem[]
  related: (itemId: string, userId: string | undefined, numResults: number) => ScoredItem[]
  rerank: (itemIds: readonly string[], userId: string) => ScoredItem[]
}

export interface ModelEvent {
  userId?: string | undefined
  sessionId?: string | undefined
  itemId: string
  eventType: string
  /** Epoch milliseconds. */
  sentAt: number
}

const parameters = { recentItems: 4, sampleSize: 1500, neighbours: 300 }
const weights = new Map([['cart', 2], ['purchase', 3]])

/** Creates the model from a file of events. @param file with the columns userId, sessionId, itemId, eventType and sentAt */
export async function openModel (file: string, now: () => number): Promise<Model> {
  const index = new SessionIndex(now)
  const query = new Query(index)

  function learn ({ userId, sessionId, itemId, eventType, sentAt }: ModelEvent): void {
    const who = userId ?? sessionId
    if (who !== undefined) index.apply({ userId: who, sessionId, itemId, weight: weights.get(eventType) ?? 1, time: sentAt })
  }

  for (const event of await readEvents(file)) learn(event)
  return {
    learn,
    recommend: (userId, numResults) => query.recommend({ userId, numResults, excludeSeen: false, parameters }),
    related: (itemId, userId, numResults) => query.related(itemId, { userId, numResults, excludeSeen: false, parameters }),
    rerank: (itemIds, userId) => query.rerank(itemIds, { userId, parameters })
  }
}

/** Returns the events of a file in order of time, which the index requires. */
async function readEvents (file: string): Promise<ModelEvent[]> {
  const events: ModelEvent[] = []
  for await (const batch of readRecords(file)) {
    for (const source of batch) {
      if ('problem' in source) throw new Error(`${file}, line ${source.line}: ${source.problem}`)
      const { userId, sessionId, itemId, eventType = 'view', sentAt } = source.record as Partial<Record<string, string>>
      const time = sentAt === undefined ? undefined : parseTime(sentAt)
      if (itemId === undefined || itemId === '' || time === undefined) throw new Error(`${file}, line ${source.line}: expected an itemId and a sentAt`)
      events.push({ userId: userId || undefined, sessionId: sessionId || undefined, itemId, eventType, sentAt: time })
    }
  }
  return events.sort((a, b) => a.sentAt - b.sentAt)
}
