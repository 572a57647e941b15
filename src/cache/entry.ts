import { hash } from 'node:crypto'
import type { Encoded } from './content-encoding.ts'
import type { CachePolicy } from './policy.ts'

/** An answer as it was made, before it is kept. */
export interface Made {
  /** JSON text. */
  body: string
  /** The variation that answered. */
  variation: string
  /** Why it is not the answer of the assigned variation. */
  degraded?: string | undefined
  /** Why items go without their metadata. */
  undecorated?: string | undefined
  /** How its making took its time, as `Server-Timing` has it. */
  timing?: string | undefined
}

/** An answer as the cache keeps it: finished, so that a hit is sent as it is. Times are in epoch ms. */
export interface Entry {
  /** JSON in UTF-8. */
  readonly body: Buffer
  readonly variation: string
  readonly degraded: string | undefined
  readonly undecorated: string | undefined
  /** A strong validator of the body, with its quotes. */
  readonly etag: string
  /** The body in other encodings; absent until somebody wants one. */
  readonly encoded?: Encoded
  readonly madeAt: number
  readonly freshUntil: number
  /** Until then it may be served while it is made anew (RFC 5861 §3). */
  readonly staleUntil: number
  /** Until then it may be served where making it anew fails (RFC 5861 §4). */
  readonly errorUntil: number
}

/** An answer that lacks something is kept this long, in ms: a storm of requests costs little, and the provider is missed no longer than it is away. */
const lackingTtl = 2_000

/** A strong validator of a body (RFC 9110 §8.8.1), with its quotes. */
export function entityTag (body: string | Buffer): string {
  return `"${hash('sha1', body, 'base64url')}"`
}

/** What an answer lacks, in a word; undefined where it is whole. */
export function lackOf ({ degraded, undecorated }: Pick<Made, 'degraded' | 'undecorated'>): string | undefined {
  return degraded ?? undecorated
}

/**
 * Returns an entry with the times that a policy gives it, where they are sooner than its own. A given user and a synthetic one of the
 * same id share an entry, and the document may let it live longer for one of them.
 */
export function limitedBy<E extends Entry> (policy: CachePolicy, entry: E | undefined): E | undefined {
  if (entry === undefined) return undefined
  const freshUntil = Math.min(entry.freshUntil, entry.madeAt + policy.ttl)
  const staleUntil = Math.min(entry.staleUntil, freshUntil + policy.staleWhileRevalidate)
  const errorUntil = Math.min(entry.errorUntil, Math.max(staleUntil, freshUntil + policy.staleIfError))
  if (freshUntil === entry.freshUntil && staleUntil === entry.staleUntil && errorUntil === entry.errorUntil) return entry
  return { ...entry, freshUntil, staleUntil, errorUntil }
}

/** Finishes an answer: everything that a hit needs is worked out once, here. */
export function createEntry ({ body, variation, degraded, undecorated }: Made, policy: CachePolicy, madeAt: number): Entry {
  const { ttl, staleWhileRevalidate, staleIfError } = lackOf({ degraded, undecorated }) === undefined ? policy : { ttl: Math.min(policy.ttl, lackingTtl), staleWhileRevalidate: 0, staleIfError: 0 }
  const freshUntil = madeAt + ttl
  const staleUntil = freshUntil + staleWhileRevalidate
  return {
    body: Buffer.from(body),
    etag: entityTag(body),
    variation,
    degraded,
    undecorated,
    madeAt,
    freshUntil,
    staleUntil,
    errorUntil: Math.max(staleUntil, freshUntil + staleIfError)
  }
}
