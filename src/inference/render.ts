import type { Action, OriginAnswer, RecommendedItem } from '../origins/origin.ts'

const listName: Readonly<Record<Action, string>> = {
  'recommend-items': 'itemList',
  'related-items': 'itemList',
  'rerank-items': 'personalizedRanking',
  'predicted-ratings': 'ratings'
}

/**
 * The body of an answer, as text. Metadata comes as the JSON text that the store holds and is put in as it is: parsing it only
 * to write it again would be most of the cost of a miss.
 */
export function renderBody (action: Action, { items, ratings, ...rest }: OriginAnswer, metadata: ReadonlyMap<string, string>): string {
  const list = ratings !== undefined ? JSON.stringify(ratings).slice(1, -1) : items.map(item => renderItem(item, metadata.get(item.itemId))).join(',')
  const more = JSON.stringify(rest)
  return `{"${listName[action]}":[${list}]${more === '{}' ? '}' : `,${more.slice(1)}`}`
}

function renderItem (item: RecommendedItem, metadata: string | undefined): string {
  if (metadata === undefined) return JSON.stringify(item)
  return `${JSON.stringify({ ...item, metadata: undefined }).slice(0, -1)},"metadata":${metadata}}`
}
