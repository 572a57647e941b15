import type { Action, OriginAnswer, RecommendedItem } from '../origins/origin.ts'

const listName: Readonly<Record<Action, string>> = {
  'recommend-items': 'itemList',
  'related-items': 'itemList',
  'rerank-items': 'personalizedRanking',
  'predicted-ratings': 'ratings'
}

/**
 * Returns the body of an answer as JSON text. It inserts the JSON text of metadata as the store holds it: parsing and writing it
 * again would be most of the cost of a miss.
 */
export function renderBody (action: Action, { items, ratings, recommendationId }: OriginAnswer, metadata: ReadonlyMap<string, string>): string {
  const list = ratings !== undefined ? within(ratings) : metadata.size === 0 ? within(items) : items.map(item => renderItem(item, metadata.get(item.itemId))).join(',')
  const more = recommendationId === undefined ? '' : `,"recommendationId":${JSON.stringify(recommendationId)}`
  return `{"${listName[action]}":[${list}]${more}}`
}

/** Returns the JSON text of a list's members, without the brackets. */
function within (list: readonly unknown[]): string {
  return JSON.stringify(list).slice(1, -1)
}

function renderItem (item: RecommendedItem, metadata: string | undefined): string {
  if (metadata === undefined) return JSON.stringify(item)
  return `${JSON.stringify({ ...item, metadata: undefined }).slice(0, -1)},"metadata":${metadata}}`
}
