import { createHash, hash } from 'node:crypto'
import type { Encoded } from './content-encoding.ts'
import type { CachePolicy } from './policy.ts'

/** An answer as the maker returns it, before the cache stores it. */
export interface Made {
  /** JSON text, or its bytes. */
  body: string | Buffer
  /** The entity tag of the body, where the maker has computed it. */
  etag?: string | undefined
  /** The name of the variation that answered. */
  variation: string
  /** The reason why the answer does not come from the assigned variation. */
  degraded?: string | undefined
  /** The reason why items have no metadata. */
  undecorated?: string | undefined
  /** The durations of the steps that made the answer, as a value of `Server-Timing`. */
  timing?: string | undefined
}

/** An answer in its final form as the cache stores it, so that a hit needs no further work. Times are in ms, on the steady clock of the process. */
export interface Entry {
  /** JSON in UTF-8. */
  readonly body: Buffer
  readonly variation: string
  readonly degraded: string | undefined
  readonly undecorated: string | undefined
  /** A strong validator of the body, with its quotes. */
  readonly etag: string
  /** The body in other encodings; absent until a client accepts one. */
  readonly encoded?: Encoded
  readonly madeAt: number
  readonly freshUntil: number
  /** The time until which the cache may serve the entry while it makes a new one (RFC 5861 §3). */
  readonly staleUntil: number
  /** The time until which the cache may serve the entry if making a new one fails (RFC 5861 §4). */
  readonly errorUntil: number
}

/**
 * The longest lifetime, in ms, of an answer that lacks something. It is long enough that a burst of requests costs little, and short enough
 * that complete answers return soon after the provider does.
 */
const lackingTtl = 2_000

const algorithm = 'sha1'

/** Returns a strong validator of a body (RFC 9110 §8.8.1), with its quotes. */
export function entityTag (body: string | Buffer): string {
  return quoted(hash(algorithm, body, 'base64url'))
}

/** Computes the same validator from the parts of a body. */
export function createTagger (): { add: (part: Buffer) => void, tag: () => string } {
  const hasher = createHash(algorithm)
  return {
    add (part) { hasher.update(part) },
    tag: () => quoted(hasher.digest('base64url'))
  }
}

function quoted (digest: string): string {
  return `"${digest}"`
}

/** Returns one word that says why an answer is incomplete; undefined if it is complete. */
export function lackOf ({ degraded, undecorated }: Pick<Made, 'degraded' | 'undecorated'>): string | undefined {
  return degraded ?? undecorated
}

/**
 * Returns an entry with its times shortened to those that a policy allows. A given user and a synthetic user with the same id share an
 * entry, and the configuration may let it live longer for one of them.
 */
export function limitedBy<E extends Entry> (policy: CachePolicy, entry: E | undefined): E | undefined {
  if (entry === undefined) return undefined
  const freshUntil = Math.min(entry.freshUntil, entry.madeAt + policy.ttl)
  const staleUntil = Math.min(entry.staleUntil, freshUntil + policy.staleWhileRevalidate)
  const errorUntil = Math.min(entry.errorUntil, Math.max(staleUntil, freshUntil + policy.staleIfError))
  if (freshUntil === entry.freshUntil && staleUntil === entry.staleUntil && errorUntil === entry.errorUntil) return entry
  return { ...entry, freshUntil, staleUntil, errorUntil }
}

/** Returns the entry for an answer. Computes everything that a hit needs here, once. */
export function createEntry ({ body, etag, variation, degraded, undecorated }: Made, policy: CachePolicy, madeAt: number): Entry {
  const { ttl, staleWhileRevalidate, staleIfError } = lackOf({ degraded, undecorated }) === undefined ? policy : { ttl: Math.min(policy.ttl, lackingTtl), staleWhileRevalidate: 0, staleIfError: 0 }
  const freshUntil = madeAt + ttl
  const staleUntil = freshUntil + staleWhileRevalidate
  return {
    body: typeof body === 'string' ? Buffer.from(body) : body,
    etag: etag ?? entityTag(body),
    variation,
    degraded,
    undecorated,
    madeAt,
    freshUntil,
    staleUntil,
    errorUntil: Math.max(staleUntil, freshUntil + staleIfError)
  }
}
