import { digitsOf } from '../base/exact-json.ts'
import type { Provider } from '../base/errors.ts'
import type { Ids } from './exact-mapping.ts'
import type { Action, OriginAnswer, RecommendedItem } from './origin.ts'
import { OriginError } from './origin-error.ts'

/** The most entries of a list that the gateway reads. No caller can ask for more than 500 items; some entries may be repeats. */
const mostEntries = 5000

/**
 * Reads and validates a provider's answer: `{"itemList":[…]}`, `{"personalizedRanking":[…]}` or `{"ratings":[…]}`, by action. An id
 * that is a number becomes the text of its digits, as written.
 * @param answer parsed by `parseExactly`
 * @throws OriginError invalid-answer
 */
export function readAnswer (provider: Provider, action: Action, answer: unknown, asked = 0): OriginAnswer {
  const invalid = (expected: string): OriginError => new OriginError(provider, 'invalid-answer', { cause: new Error(`expected ${expected}`) })
  if (typeof answer !== 'object' || answer === null) throw invalid('an object')
  const name = listNames[action]
  const { recommendationId: id, itemList, personalizedRanking, ratings, ...rest } = answer as Record<string, unknown>
  const list = { itemList, personalizedRanking, ratings }[name]
  const recommendationId = typeof id === 'string' ? id : digitsOf(id)
  const more = Object.keys(rest).length === 0 ? undefined : rest

  if (action === 'predicted-ratings') {
    if (!Array.isArray(list) || list.length !== asked) throw invalid(`{"ratings":[…]} with ${asked} ratings`)
    return { items: [], ratings: list.map(readRating), recommendationId, more }
  }
  if (!Array.isArray(list)) throw invalid(`{"${name}":[…]}`)
  return { items: list.slice(0, mostEntries).map(item => readItem(provider, item) ?? fail(invalid(`items with an itemId in ${name}`))), recommendationId, more }
}

/** The member of an answer that holds its list, by action. */
export const listNames: Readonly<Record<Action, 'itemList' | 'personalizedRanking' | 'ratings'>> = {
  'recommend-items': 'itemList',
  'related-items': 'itemList',
  'rerank-items': 'personalizedRanking',
  'predicted-ratings': 'ratings'
}

function readRating (rating: unknown): number | null {
  const value = Number(digitsOf(rating))
  return Number.isFinite(value) ? value : null
}

function readItem (provider: Provider, item: unknown): RecommendedItem | undefined {
  const bare = readId(provider, item)
  if (bare !== undefined) return { itemId: bare }
  if (typeof item !== 'object' || item === null) return undefined
  const { itemId } = item as { itemId?: unknown }
  const id = readId(provider, itemId)
  if (id === undefined) return undefined
  return id === itemId ? item as RecommendedItem : { ...item, itemId: id }
}

/** Returns the text of an id; undefined if the value is no id. */
function readId (provider: Provider, id: unknown): string | undefined {
  if (typeof id === 'string') return id === '' ? undefined : id
  // A mapping can compute an integer that other integers are rounded to.
  if (typeof id === 'number' && Number.isInteger(id) && !Number.isSafeInteger(id)) throw inexactId(provider, String(id))
  return digitsOf(id)
}

/** Returns the ids in an answer that may be invalid: entries without an id have an empty text. */
export function idsOf (action: Action, answer: unknown): Ids {
  const list = action === 'predicted-ratings' ? undefined : (answer as Record<string, unknown> | null | undefined)?.[listNames[action]]
  const entries: unknown[] = Array.isArray(list) ? list : []
  return {
    values: entries.map(entry => textOf(entry) ?? textOf((entry as { itemId?: unknown } | null)?.itemId) ?? ''),
    set (index, id) {
      const entry = entries[index]
      entries[index] = typeof entry === 'object' ? { ...entry, itemId: id } : id
    }
  }
}

function textOf (id: unknown): string | undefined {
  return typeof id === 'string' ? id : digitsOf(id)
}

/** Returns the error for an id that came as a number whose digits are lost. The message names the number. */
export function inexactId (provider: Provider, number: string): OriginError {
  const message = `the provider's answer has the number ${number} as the id of an item, and its digits cannot be kept; expected text`
  return new OriginError(provider, 'invalid-answer', { message, cause: new Error(message) })
}

function fail (error: Error): never {
  throw error
}
