import Type, { type Static } from 'typebox'
import { noCache, type CachePolicy } from './policy.ts'
import { strict } from '../base/schema.ts'

/** One year, in seconds. */
const longestAge = 31_536_000

const seconds = Type.Integer({ minimum: 0, maximum: longestAge })

export const DownstreamSchema = strict({
  maxAge: seconds,
  directives: Type.String({ pattern: '^[\\x20-\\x7e]*$', maxLength: 256 })
})

/** The rules for downstream caches, by kind of user, and for the cache of the gateway itself (`server`). */
export const CacheControlSchema = strict({
  autoProvision: Type.Optional(Type.Boolean()),
  userSpecified: Type.Optional(DownstreamSchema),
  syntheticUserSpecified: Type.Optional(DownstreamSchema),
  noUserSpecified: Type.Optional(DownstreamSchema),
  server: Type.Optional(strict({
    ttl: Type.Optional(seconds),
    staleWhileRevalidate: Type.Optional(seconds),
    staleIfError: Type.Optional(seconds),
    refreshOnEvents: Type.Optional(Type.Boolean()),
    whenUnverified: Type.Optional(Type.Enum(['origin', 'serve']))
  }))
})

export type CacheControl = Static<typeof CacheControlSchema>

/** The kind of user that an answer is for: no user, a synthetic one, or one that the request names. */
export type UserKind = 'none' | 'synthetic' | 'given'

/** The rules for the cache of the gateway itself, by kind of user. */
export type CachePolicies = Readonly<Record<UserKind, CachePolicy>>

/**
 * Returns the `Cache-Control` header of an answer, in the form that the sample composes; undefined if there are no directives.
 * @param authenticated whether the request has credentials: then no shared cache may keep an answer for a given user (RFC 9111 §3.5)
 * @param brief whether caches should soon drop the answer, because it is degraded, undecorated, stale or unverified
 * @param tested whether an experiment decided on the answer: then no shared cache may keep it
 */
export type CacheControlHeader = (user: UserKind, authenticated: boolean, brief: boolean, tested?: boolean) => string | undefined

/** The longest time, in seconds, for which downstream caches may keep a brief answer. */
const briefMaxAge = 2

const directive = /(?:[^,"]|"[^"]*")+/g
const forbidsSharing = /^(private|no-store)$/i
/** Directives that a shared cache may take as a permission, and `private` with an argument, which covers some header fields only. */
const allowsSharing = /^(public|s-maxage=.*|must-revalidate|proxy-revalidate|private=.*)$/i
/** Matches a directive with a lifetime, for all caches or for shared ones. The argument may be in quotes (RFC 9111 §5.2). */
const lifetime = /^(max-age|s-maxage)\s*(?:=\s*"?(\d*)"?.*)?$/i

/** Returns a function that looks up the `Cache-Control` header of an answer. It composes all possible headers in advance. */
export function createCacheControlHeader (policy: CacheControl | undefined): CacheControlHeader {
  const composed = (user: UserKind): Array<string | undefined> =>
    [false, true].flatMap(isUnshared => [false, true].map(brief => compose(policy, user, isUnshared, brief)))
  const headers = { none: composed('none'), synthetic: composed('synthetic'), given: composed('given') }
  return (user, authenticated, brief, tested = false) => headers[user][2 * Number(tested || (authenticated && user === 'given')) + Number(brief)]
}

function compose (policy: CacheControl | undefined, user: UserKind, isUnshared: boolean, brief: boolean): string | undefined {
  const { maxAge, directives } = downstreamOf(policy, user)
  const said = isUnshared ? unshared(directives) : directives
  const limited = brief ? shortened(said) : said
  const age = brief ? Math.min(maxAge, briefMaxAge) : maxAge
  return age > 0 && writtenMaxAge(said) === undefined ? [limited, `max-age=${age}`].filter(Boolean).join(',') : limited || undefined
}

function downstreamOf (policy: CacheControl | undefined, user: UserKind): Static<typeof DownstreamSchema> {
  return { none: policy?.noUserSpecified, synthetic: policy?.syntheticUserSpecified, given: policy?.userSpecified }[user] ?? { maxAge: 0, directives: '' }
}

function listed (directives: string): string[] {
  return (directives.match(directive) ?? []).map(text => text.trim()).filter(Boolean)
}

/** Returns the `max-age` that directives already contain, in seconds. If there are several, the first counts (RFC 9111 §4.2.1). */
function writtenMaxAge (directives: string): number | undefined {
  const [written] = listed(directives).map(text => lifetime.exec(text)).filter(match => match?.[1]!.toLowerCase() === 'max-age')
  return written == null ? undefined : Math.min(Number(written[2] ?? 0), longestAge)
}

function shortened (directives: string): string {
  const all = listed(directives)
  if (!all.some(text => lifetime.test(text))) return directives
  return all.map(text => {
    const [, name, age] = lifetime.exec(text) ?? []
    return name === undefined ? text : `${name}=${Math.min(Number(age ?? 0), briefMaxAge)}`
  }).join(',')
}

function unshared (directives: string): string {
  const all = listed(directives)
  if (all.some(text => forbidsSharing.test(text))) return directives
  return ['private', ...all.filter(text => !allowsSharing.test(text))].join(',')
}

/**
 * Returns the rules for the cache of the gateway itself. Without `cacheControl`, the gateway caches nothing. Without a `ttl`, the gateway
 * keeps an answer as long as browsers and CDNs may, and serves nothing stale: keeping an answer longer is an explicit choice.
 */
export function cachePolicies (policy: CacheControl | undefined): CachePolicies {
  if (policy === undefined) return { none: noCache, synthetic: noCache, given: noCache }
  const { ttl, staleWhileRevalidate = ttl === undefined ? 0 : 60, staleIfError = ttl === undefined ? 0 : 86_400, refreshOnEvents = true, whenUnverified = 'origin' } = policy.server ?? {}
  const policyOf = (user: UserKind): CachePolicy => {
    const { maxAge, directives } = downstreamOf(policy, user)
    const age = writtenMaxAge(directives) ?? maxAge
    return {
      ttl: (ttl ?? age) * 1000,
      staleWhileRevalidate: staleWhileRevalidate * 1000,
      staleIfError: staleIfError * 1000,
      refreshOnEvents,
      whenUnverified,
      downstreamAge: age * 1000
    }
  }
  return { none: policyOf('none'), synthetic: policyOf('synthetic'), given: policyOf('given') }
}
