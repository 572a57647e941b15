import type { Interaction } from '../../src/recommender/session-index.ts'
import type { UserQuery } from '../../src/recommender/query.ts'

interface History {
  number: number
  /** Weights by item, in order of the last interaction. */
  items: Map<string, number>
  /** Items that were met and not disliked. Only these count when histories are compared. */
  liked: Set<string>
}

const sessionGap = 30 * 60_000
const halfLife = 7 * 24 * 3_600_000

/** Computes the embedded recommender's scores from scratch for each query: a literal reference for tests. */
export function naiveKnn (events: readonly Interaction[]) {
  const { histories, current } = sessions(events)
  const frequency = (item: string): number => histories.filter(({ liked }) => liked.has(item)).length

  /** Returns the user's items by their last interaction, newest first, with their weight in that history. */
  function itemsOf (userId: string | undefined): Array<[string, number]> {
    const met = new Map<string, number>()
    for (const event of events.filter(event => event.userId === userId)) {
      met.delete(event.itemId)
      met.set(event.itemId, event.weight)
    }
    const strongest = (item: string): number => {
      const last = events.findLast(event => event.userId === userId && event.itemId === item)!
      return histories[current.get(last)! - 1]!.items.get(item)!
    }
    return [...met.keys()].reverse().map(item => [item, strongest(item)])
  }

  function scores ({ userId, parameters }: Pick<UserQuery, 'userId' | 'parameters'>): Map<string, number> {
    const recent = itemsOf(userId).filter(([, weight]) => weight > 0).slice(0, parameters.recentItems).map(([item]) => item)
    const last = events.findLast(event => event.userId === userId)
    const own = last && current.get(last)
    const neighbours = histories
      .filter(({ number, liked }) => number !== own && recent.some(item => liked.has(item)))
      .sort((a, b) => b.number - a.number)
      .slice(0, parameters.sampleSize)
      .map(history => ({ history, similarity: similarity(recent, history) }))
      .sort((a, b) => b.similarity - a.similarity || b.history.number - a.history.number)
      .slice(0, parameters.neighbours)
    const found = new Map<string, number>()
    for (const { history, similarity } of neighbours) {
      const newestShared = 1 + recent.findIndex(item => history.liked.has(item))
      for (const [item, weight] of history.items) {
        const share = weight > 0 ? similarity * Math.max(0, 1 - 0.1 * newestShared) * weight : 0
        if (share > 0) found.set(item, (found.get(item) ?? 0) + share * (1 + Math.log(histories.length / frequency(item))))
      }
    }
    return found
  }

  function excluded ({ userId, excludeSeen }: UserQuery): Set<string> {
    return new Set(itemsOf(userId).filter(([, weight], i) => i === 0 || excludeSeen || weight <= 0).map(([item]) => item))
  }

  const disliked = (userId: string | undefined): Set<string> => new Set(itemsOf(userId).filter(([, weight]) => weight <= 0).map(([item]) => item))

  return { scores, excluded, disliked, popularity: naivePopularity(events) }
}

/** Returns the decayed popularity of each item, most popular first. */
export function naivePopularity (events: readonly Interaction[]): Map<string, number> {
  const latest = Math.max(...events.map(({ time }) => time))
  const sums = new Map<string, number>()
  for (const { itemId, weight, time } of events.filter(({ weight }) => weight > 0)) {
    sums.set(itemId, (sums.get(itemId) ?? 0) + weight * 2 ** ((time - latest) / halfLife))
  }
  return new Map([...sums].sort(([, a], [, b]) => b - a))
}

function similarity (recent: readonly string[], { liked }: History): number {
  return recent.reduce((sum, item, p) => liked.has(item) ? sum + (recent.length - p) / recent.length : sum, 0)
}

/** Splits events (in order of time) into sessions, and returns the session of each event. */
function sessions (events: readonly Interaction[]): { histories: History[], current: Map<Interaction, number> } {
  const histories: History[] = []
  const current = new Map<Interaction, number>()
  const bySession = new Map<string, History>()
  const byUser = new Map<string, { history: History, time: number }>()
  for (const event of events) {
    const before = byUser.get(event.userId)
    const known = event.sessionId === undefined
      ? before && event.time - before.time <= sessionGap ? before.history : undefined
      : bySession.get(event.sessionId)
    const history = known ?? { number: histories.length + 1, items: new Map<string, number>(), liked: new Set<string>() }
    if (known === undefined) histories.push(history)
    if (event.sessionId !== undefined) bySession.set(event.sessionId, history)
    byUser.set(event.userId, { history, time: event.time })
    const earlier = history.items.get(event.itemId) ?? -Infinity
    history.items.delete(event.itemId)
    history.items.set(event.itemId, event.weight > 0 ? Math.max(event.weight, earlier) : event.weight)
    if (event.weight > 0) history.liked.add(event.itemId)
    current.set(event, history.number)
  }
  return { histories, current }
}
