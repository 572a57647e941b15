import type { Provider } from '../base/errors.ts'
import type { Action, OriginAnswer, RecommendedItem } from './origin.ts'
import { OriginError } from './origin-error.ts'

/** The most items of an answer. No caller can ask for more. */
const mostItems = 1000

/** The member of an answer that holds its list, by action. */
export const listNames: Readonly<Record<Action, string>> = { 'recommend-items': 'itemList', 'related-items': 'itemList', 'rerank-items': 'personalizedRanking', 'predicted-ratings': 'ratings' }

/**
 * Reads and validates a provider's answer: `{"itemList":[…]}`, `{"personalizedRanking":[…]}` or `{"ratings":[…]}`, by action.
 * @throws OriginError invalid-answer
 */
export function readAnswer (provider: Provider, action: Action, answer: unknown, asked = 0): OriginAnswer {
  const invalid = (expected: string): OriginError => new OriginError(provider, 'invalid-answer', { cause: new Error(`expected ${expected}`) })
  if (typeof answer !== 'object' || answer === null) throw invalid('an object')
  const { recommendationId: id, ratings, itemList, personalizedRanking } = answer as Record<string, unknown>
  const recommendationId = typeof id === 'string' ? id : undefined

  if (action === 'predicted-ratings') {
    if (!Array.isArray(ratings) || ratings.length !== asked) throw invalid(`{"ratings":[…]} with ${asked} ratings`)
    return { items: [], ratings: ratings.map(rating => typeof rating === 'number' && Number.isFinite(rating) ? rating : null), recommendationId }
  }
  const name = action === 'rerank-items' ? 'personalizedRanking' : 'itemList'
  const list = action === 'rerank-items' ? personalizedRanking : itemList
  if (!Array.isArray(list)) throw invalid(`{"${name}":[…]}`)
  return { items: list.slice(0, mostItems).map(item => readItem(item) ?? fail(invalid(`items with an itemId in ${name}`))), recommendationId }
}

function readItem (item: unknown): RecommendedItem | undefined {
  if (typeof item === 'string') return { itemId: item }
  if (typeof item !== 'object' || item === null) return undefined
  const { itemId } = item as { itemId?: unknown }
  if (typeof itemId === 'number') return { ...item, itemId: String(itemId) }
  return typeof itemId === 'string' && itemId !== '' ? item as RecommendedItem : undefined
}

function fail (error: Error): never {
  throw error
}
