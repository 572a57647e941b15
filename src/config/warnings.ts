import type { Document } from './document.ts'
import { namespacesOf, recommendersOf, variationsOf } from './elements.ts'
import { filterWarnings } from './filter-warnings.ts'
import { inherit } from './inherit.ts'

/** The most places that a warning names; a document may have thousands. */
const mostNamed = 3

/** Returns one line for each setting of a valid document that is allowed but probably a mistake. */
export function warningsOf (document: Document): string[] {
  return [...cacheWarnings(document), ...filterWarnings(document)]
}

function cacheWarnings (document: Document): string[] {
  const uncached = uncachedVariations(document)
  if (uncached.all === 0 || uncached.pointers.length === 0) return []
  if (uncached.pointers.length === uncached.all) return ['without cacheControl, the gateway caches no answers: each request calls its provider']
  const more = uncached.pointers.length - mostNamed
  return [`without cacheControl, the gateway caches no answers of ${uncached.pointers.slice(0, mostNamed).join(', ')}${more > 0 ? ` and ${more} more` : ''}`]
}

/** Returns the pointers of the variations without `cacheControl`, own or inherited, and the number of all variations. */
function uncachedVariations (document: Document): { pointers: string[], all: number } {
  const root = { pointer: '', value: document }
  const namespaces = new Map(namespacesOf(document).map(namespace => [namespace.name, namespace]))
  const variations = recommendersOf(document).flatMap(recommender => variationsOf(recommender)
    .map(variation => [root, namespaces.get(recommender.namespace)!, recommender, variation]))
  const uncached = variations.filter(levels => inherit('cacheControl', levels) === undefined)
  return { pointers: uncached.map(levels => levels.at(-1)!.pointer), all: variations.length }
}
