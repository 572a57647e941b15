import { sortedByKey } from '../base/sorted.ts'
import type { MatchedExperiment } from './mark.ts'
import type { Resolution } from '../context/resolve.ts'
import type { InferenceRequest } from './request.ts'

/**
 * Returns the cache key of an answer. Two requests have the same key if, and only if, the same inputs decide their answers.
 * @param fingerprint identifies the configuration and the data behind the answer; an equal document has an equal fingerprint
 * @param matched the experiment that the answer names; undefined outside of one
 * @param resolutions filter and context of the request, resolved for each variation that may answer it
 */
export function cacheKey (fingerprint: string, variation: string, request: InferenceRequest, matched: MatchedExperiment | undefined, resolutions: readonly Resolution[]): string {
  const { action, namespace, recommender, userId, itemId, itemIds, numResults, decorateItems, parameters } = request
  const parts: unknown[] = [fingerprint, action, namespace, recommender, variation, userId, itemId, itemIds, numResults, decorateItems, parameters && [...parameters], matched]
  for (const { filter, filterValues, context } of resolutions) parts.push(filter, canonical(filterValues), canonical(context))
  return JSON.stringify(parts)
}

/** Returns the entries sorted by key; undefined for an absent or empty map, which mean the same. */
function canonical (map: Readonly<Record<string, unknown>> | undefined): unknown[][] | undefined {
  if (map === undefined) return undefined
  const entries = Object.entries(map)
  return entries.length === 0 ? undefined : entries.sort(([a], [b]) => a < b ? -1 : 1).map(([key, value]) => [key, sortedByKey(value)])
}
