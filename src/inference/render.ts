import { stringifyExactly } from '../base/exact-json.ts'
import { listNames } from '../origins/answer.ts'
import type { Action, OriginAnswer, RecommendedItem } from '../origins/origin.ts'

/**
 * Returns the body of an answer as JSON text. It inserts the JSON text of metadata as the store holds it: parsing and writing it
 * again would be most of the cost of a miss.
 */
export function renderBody (action: Action, { items, ratings, recommendationId, more }: OriginAnswer, metadata: ReadonlyMap<string, string>): string {
  const list = ratings !== undefined ? within(ratings) : metadata.size === 0 ? within(items) : items.map(item => renderItem(item, metadata.get(item.itemId))).join(',')
  const id = recommendationId === undefined ? '' : `,"recommendationId":${JSON.stringify(recommendationId)}`
  const rest = more === undefined ? '' : `,${stringifyExactly(more).slice(1, -1)}`
  return `{"${listNames[action]}":[${list}]${id}${rest}}`
}

/** Returns the JSON text of a list's members, without the brackets. */
function within (list: readonly unknown[]): string {
  return stringifyExactly(list).slice(1, -1)
}

function renderItem (item: RecommendedItem, metadata: string | undefined): string {
  if (metadata === undefined) return stringifyExactly(item)
  return `${stringifyExactly({ ...item, metadata: undefined }).slice(0, -1)},"metadata":${metadata}}`
}
