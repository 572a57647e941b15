/** How long the gateway itself keeps answers, in ms. */
export interface CachePolicy {
  /** Zero: it keeps none; concurrent requests for the same still make one call. */
  readonly ttl: number
  readonly staleWhileRevalidate: number
  readonly staleIfError: number
  /** Whether what was made for a user is out of date with the user's next event. */
  readonly refreshOnEvents: boolean
  /** Where answers come from while the events of users cannot be verified: from the provider only, or from memory too. */
  readonly whenUnverified: 'origin' | 'serve'
  /** How long browsers and CDNs may keep an answer. */
  readonly downstreamAge: number
}

/** For answers that are not kept. */
export const noCache: CachePolicy = { ttl: 0, staleWhileRevalidate: 0, staleIfError: 0, refreshOnEvents: true, whenUnverified: 'origin', downstreamAge: 0 }

/** Describes in a line how long the gateway keeps the answers of a policy. */
export function describePolicy (policy: CachePolicy): string {
  const { ttl, staleWhileRevalidate, staleIfError } = policy
  if (policy === noCache) return 'not cached: the configuration has no cacheControl'
  if (ttl === 0) return 'not cached: the ttl is 0'
  const stale = [
    ...staleWhileRevalidate > 0 ? [`${staleWhileRevalidate / 1000} s longer while a new answer is made`] : [],
    ...staleIfError > 0 ? [`${staleIfError / 1000} s longer if the provider fails`] : []
  ]
  return [`fresh for ${ttl / 1000} s`, ...stale].join(', ')
}
