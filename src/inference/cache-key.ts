import type { Resolution } from '../context/resolve.ts'
import type { InferenceRequest } from './request.ts'

/**
 * The key of an answer: what went into it and nothing else. Requests that mean the same have the same key, and no others have.
 * @param fingerprint stands for the configuration, and for the data that it was answered from: the same document has the same again
 * @param resolutions filter and context of the request, in the eyes of each variation that may answer it
 */
export function cacheKey (fingerprint: string, variation: string, request: InferenceRequest, resolutions: readonly Resolution[]): string {
  const { action, namespace, recommender, userId, itemId, itemIds, numResults, decorateItems } = request
  const parts: unknown[] = [fingerprint, action, namespace, recommender, variation, userId, itemId, itemIds, numResults, decorateItems]
  for (const { filter, filterValues, context } of resolutions) parts.push(filter, canonical(filterValues), canonical(context))
  return JSON.stringify(parts)
}

/** Nothing said and nothing in it mean the same. */
function canonical (map: Readonly<Record<string, string>> | undefined): string[][] | undefined {
  if (map === undefined) return undefined
  const entries = Object.entries(map)
  return entries.length === 0 ? undefined : entries.sort(([a], [b]) => a < b ? -1 : 1)
}
