/** How long the gateway itself keeps answers, in ms. */
export interface CachePolicy {
  /** Zero: it keeps none; concurrent requests for the same still make one call. */
  readonly ttl: number
  readonly staleWhileRevalidate: number
  readonly staleIfError: number
  /** Whether what was made for a user is out of date with the user's next event. */
  readonly refreshOnEvents: boolean
  /** What to do while nobody can tell whether an event has outdated an answer: ask the origin, or serve what downstream may still have. */
  readonly whenUnverified: 'origin' | 'serve'
  /** How long downstream caches may keep the answer. */
  readonly downstreamAge: number
}

/** For answers that are not kept. */
export const noCache: CachePolicy = { ttl: 0, staleWhileRevalidate: 0, staleIfError: 0, refreshOnEvents: true, whenUnverified: 'origin', downstreamAge: 0 }
