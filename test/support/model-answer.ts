import type { Action, OriginAnswer } from '../../src/origins/origin.ts'

interface Asked {
  action: Action
  numResults?: number
  itemIds?: readonly string[]
  itemList?: readonly string[]
}

/**
 * Returns the answer of a test's model to a payload (or to a request), with scores, an order of its own, and members of items that the
 * gateway does not know.
 * @returns the answer on the wire, and the answer that an origin makes of it
 */
export function modelAnswer (payload: unknown): { body: object, answer: OriginAnswer } {
  const { action, numResults = 25, itemIds, itemList = itemIds } = payload as Asked
  const recommendationId = 'model-answer-1'
  if (action === 'predicted-ratings') {
    const ratings = itemList!.map((_, i) => 1 + i / 2)
    return { body: { ratings, recommendationId }, answer: { items: [], ratings, recommendationId } }
  }
  const ids = itemList?.toReversed() ?? Array.from({ length: numResults }, (_, i) => `item-${numResults - i}`)
  const items = ids.map((itemId, i) => ({ itemId, score: i === 1 ? 0 : 1 / (1 + i), reason: ['model'], shelf: { aisle: i }, promotionName: i === 0 ? 'sale' : undefined }))
  return { body: { [action === 'rerank-items' ? 'personalizedRanking' : 'itemList']: items, recommendationId }, answer: { items, recommendationId } }
}
