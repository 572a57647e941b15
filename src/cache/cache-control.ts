import Type, { type Static } from 'typebox'
import { noCache, type CachePolicy } from './policy.ts'
import { strict } from '../base/schema.ts'

const seconds = Type.Integer({ minimum: 0, maximum: 31_536_000 })

export const DownstreamSchema = strict({
  maxAge: seconds,
  directives: Type.String({ pattern: '^[\\x20-\\x7e]*$', maxLength: 256 })
})

/** What downstream caches may keep, by what is known of the user, and what the gateway itself keeps. */
export const CacheControlSchema = strict({
  autoProvision: Type.Optional(Type.Boolean()),
  userSpecified: Type.Optional(DownstreamSchema),
  syntheticUserSpecified: Type.Optional(DownstreamSchema),
  noUserSpecified: Type.Optional(DownstreamSchema),
  server: Type.Optional(strict({
    ttl: Type.Optional(seconds),
    staleWhileRevalidate: Type.Optional(seconds),
    staleIfError: Type.Optional(seconds),
    refreshOnEvents: Type.Optional(Type.Boolean())
  }))
})

export type CacheControl = Static<typeof CacheControlSchema>

/** What is known of the user that an answer is for. */
export type UserKind = 'none' | 'synthetic' | 'given'

/**
 * The `Cache-Control` header of an answer, as the sample composes it; undefined where there is nothing to say.
 * @param authenticated whether the request says who sends it: then no shared cache may keep what is for a user (RFC 9111 §3.5)
 * @param brief whether the answer is one to be rid of soon: degraded or stale
 */
export type CacheControlHeader = (user: UserKind, authenticated: boolean, brief: boolean) => string | undefined

/** Such answers may be kept this long downstream, in seconds. */
const briefMaxAge = 2

const directive = /(?:[^,"]|"[^"]*")+/g
const forbidsSharing = /^(private|no-store)$/i
/** Those that a shared cache may take as a permission, and `private` for some header fields only. */
const allowsSharing = /^(public|s-maxage=.*|must-revalidate|proxy-revalidate|private=.*)$/i

/** Every header that there can be is composed beforehand. */
export function createCacheControlHeader (policy: CacheControl | undefined): CacheControlHeader {
  const composed = (user: UserKind): Array<string | undefined> =>
    [false, true].flatMap(authenticated => [false, true].map(brief => compose(policy, user, authenticated, brief)))
  const headers = { none: composed('none'), synthetic: composed('synthetic'), given: composed('given') }
  return (user, authenticated, brief) => headers[user][2 * Number(authenticated) + Number(brief)]
}

function compose (policy: CacheControl | undefined, user: UserKind, authenticated: boolean, brief: boolean): string | undefined {
  const { maxAge = 0, directives = '' } = { none: policy?.noUserSpecified, synthetic: policy?.syntheticUserSpecified, given: policy?.userSpecified }[user] ?? {}
  const said = authenticated && user === 'given' ? unshared(directives) : directives
  const age = brief ? Math.min(maxAge, briefMaxAge) : maxAge
  return age > 0 ? [said, `max-age=${age}`].filter(Boolean).join(',') : said || undefined
}

function unshared (directives: string): string {
  const all = (directives.match(directive) ?? []).map(text => text.trim()).filter(Boolean)
  if (all.some(text => forbidsSharing.test(text))) return directives
  return ['private', ...all.filter(text => !allowsSharing.test(text))].join(',')
}

/** What the gateway itself keeps. A document that says nothing about caching wants none; one that does is spared the numbers. */
export function cachePolicy (policy: CacheControl | undefined): CachePolicy {
  if (policy === undefined) return noCache
  const { ttl = 300, staleWhileRevalidate = 60, staleIfError = 86_400, refreshOnEvents = true } = policy.server ?? {}
  return { whenUnverified: 'origin', downstreamAge: 0, ttl: ttl * 1000, staleWhileRevalidate: staleWhileRevalidate * 1000, staleIfError: staleIfError * 1000, refreshOnEvents }
}
