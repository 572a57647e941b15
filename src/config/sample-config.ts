import type { Document, RecommenderConfig, Tagged } from './document.ts'
import type { RecommenderElement } from './elements.ts'
import { asWritten } from './normalise.ts'

/** The keys that a level of the AWS sample's configuration inherits. */
const inheritedKeys = ['autoContext', 'filters', 'cacheControl', 'inferenceItemMetadata'] as const

/**
 * Returns a recommender as functions and models of the AWS sample get it: as it is written in the document, with the keys that it and its
 * variations inherit.
 */
export function sampleConfig (document: Document, { namespace, action, name }: RecommenderElement): RecommenderConfig {
  const root = asWritten(document)
  const above = root.namespaces[namespace]!
  const recommender = withInherited(above.recommenders![action]![name]!, withInherited(above, root))
  const variations = Object.entries(recommender.variations ?? {}).map(([name, variation]): [string, Tagged] => [name, withInherited(variation, recommender)])
  return { ...recommender, variations: Object.fromEntries(variations) }
}

type Inheriting = Partial<Record<typeof inheritedKeys[number], unknown>>

function withInherited<T extends object> (element: T, parent: Inheriting): T {
  const own: Inheriting = element
  const missing = inheritedKeys.filter(key => own[key] === undefined && parent[key] !== undefined)
  return { ...element, ...Object.fromEntries(missing.map(key => [key, parent[key]])) }
}
