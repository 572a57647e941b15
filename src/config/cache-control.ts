import Type, { type Static } from 'typebox'
import { strict } from '../schema.ts'

const seconds = Type.Integer({ minimum: 0, maximum: 31_536_000 })

export const DownstreamSchema = strict({
  maxAge: seconds,
  directives: Type.String({ pattern: '^[\\x20-\\x7e]*$', maxLength: 256 })
})

/** What downstream caches may keep, by what is known of the user, and what the gateway itself keeps. */
export const CacheControlSchema = strict({
  autoProvision: Type.Optional(Type.Boolean()),
  userSpecified: DownstreamSchema,
  syntheticUserSpecified: DownstreamSchema,
  noUserSpecified: DownstreamSchema,
  server: Type.Optional(strict({
    ttl: Type.Optional(seconds),
    staleWhileRevalidate: Type.Optional(seconds),
    staleIfError: Type.Optional(seconds),
    refreshOnEvents: Type.Optional(Type.Boolean())
  }))
})

export type CacheControl = Static<typeof CacheControlSchema>

/**
 * The `Cache-Control` header of an answer, as the sample composes it; undefined where there is nothing to say.
 * @param mostAge bounds how long the answer may be kept, in seconds
 */
export function cacheControlHeader (policy: CacheControl | undefined, user: 'none' | 'synthetic' | 'given', mostAge = Infinity): string | undefined {
  if (policy === undefined) return undefined
  const { maxAge: configuredAge, directives } = {
    none: policy.noUserSpecified,
    synthetic: policy.syntheticUserSpecified,
    given: policy.userSpecified
  }[user]
  const maxAge = Math.min(configuredAge, mostAge)
  return maxAge > 0 ? [directives, `max-age=${maxAge}`].filter(Boolean).join(',') : directives || undefined
}
