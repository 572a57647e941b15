import type { InferenceRequest } from '../inference/request.ts'

/**
 * The key of an answer: what went into it and nothing else. Requests that mean the same have the same key, and no others have.
 * @param fingerprint stands for the configuration, and for the data that it was answered from: the same document has the same again
 */
export function cacheKey (fingerprint: string, variation: string, request: InferenceRequest): string {
  const { action, namespace, recommender, userId, itemId, itemIds, numResults, filter, filterValues, context, decorateItems } = request
  return JSON.stringify([fingerprint, action, namespace, recommender, variation, userId, itemId, itemIds, numResults, filter, canonical(filterValues), canonical(context), decorateItems])
}

/** Nothing said and nothing in it mean the same. */
function canonical (map: Readonly<Record<string, string>> | undefined): string[][] | undefined {
  if (map === undefined) return undefined
  const entries = Object.entries(map)
  return entries.length === 0 ? undefined : entries.sort(([a], [b]) => a < b ? -1 : 1)
}
