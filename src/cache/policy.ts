/** The rules for how long the gateway itself keeps answers. Times are in ms. */
export interface CachePolicy {
  /** The time for which an answer is fresh. If it is zero, the gateway keeps none; concurrent requests for the same still make one call. */
  readonly ttl: number
  readonly staleWhileRevalidate: number
  readonly staleIfError: number
  /** Whether the user's next event outdates the answers that were made for the user. */
  readonly refreshOnEvents: boolean
  /** The source of answers while the gateway cannot verify the events of users: only the provider (`origin`), or also memory (`serve`). */
  readonly whenUnverified: 'origin' | 'serve'
  /** The time for which browsers and CDNs may keep an answer. */
  readonly downstreamAge: number
}

/** The policy for answers that the gateway does not keep. */
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
