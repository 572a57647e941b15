import { originTypes } from '../origins/registry.ts'
import type { Document, Tagged } from './document.ts'
import { namespacesOf, recommendersOf, variationsOf } from './elements.ts'
import { inherit } from './inherit.ts'

/** Returns a line for each `filters` that has no effect on a variation, and for filter values that have no filter. */
export function filterWarnings (document: Document): string[] {
  const root = { pointer: '', value: document }
  const namespaces = new Map(namespacesOf(document).map(namespace => [namespace.name, namespace]))
  return recommendersOf(document).flatMap(recommender => variationsOf(recommender).flatMap(variation => {
    const { pointer, value } = variation
    const filters = inherit('filters', [root, namespaces.get(recommender.namespace)!, recommender, variation])
    const unfiltered = filters !== undefined && filters.value.length > 0 && originTypes.get(value.type)?.filters?.(value) !== true
    return [
      ...unfiltered ? [`${filters.pointer} has no effect on ${pointer}: a variation of type ${value.type} cannot filter`] : [],
      ...promotionsOf(value).flatMap(({ filterArn, filterValues }, i) =>
        filterValues !== undefined && filterArn === undefined ? [`${pointer}/promotions/${i}/filterValues has no effect: the promotion has no filterArn`] : [])
    ]
  }))
}

interface Promotion {
  filterArn?: string
  filterValues?: object
}

function promotionsOf (variation: Tagged & { promotions?: Promotion[] }): Promotion[] {
  return variation.promotions ?? []
}
