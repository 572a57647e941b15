import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { SimpleJwksCache, type Jwk, type Jwks } from 'aws-jwt-verify/jwk'

/** The algorithms of tokens that are accepted. */
export type Algorithm = 'RS256' | 'ES256'

/** A key that verifies signatures. */
export interface VerificationKey {
  algorithm: Algorithm
  /** In PEM. */
  pem: string
}

/** The signing keys of an issuer, as its JWKS endpoint publishes them. */
export interface KeySet {
  /** Returns a key that is known now. */
  find: (kid: string) => VerificationKey | undefined
  /** Fetches the keys anew, unless the last fetch is too recent. Resolves when a fetch that is under way has ended; never rejects. */
  refresh: () => Promise<void>
  close: () => void
}

export interface KeySetOptions {
  uri: string
  /** Milliseconds on a clock that nobody sets. */
  steady: () => number
  /** Called when the keys have changed: tokens that a withdrawn key has signed are no longer valid. */
  onReplaced: () => void
  onError: (error: unknown) => void
}

/** The least time between two fetches, and the age at which the keys are fetched in the background, in ms. */
export const leastBetween = 30_000
export const refreshAfter = 300_000

/** The longest time that a fetch may take, in ms, and the most bytes that it may bring. */
const patience = 5_000
const mostBytes = 1024 * 1024

/** Opens the keys of an issuer: fetches them at once and then in the background, and at most every 30 s, whatever asks for it. */
export function openKeySet ({ uri, steady, onReplaced, onError }: KeySetOptions): KeySet {
  const closing = new AbortController()
  const cache = new SimpleJwksCache({ fetcher: { fetch: async uri => fetchBytes(uri, closing.signal) }, jwksParser: parseKeySet })
  let usable = new Map<string, VerificationKey>()
  let text = ''
  let begun = -Infinity
  let succeeded = -Infinity
  let refreshing: Promise<void> | undefined

  async function fetchNow (): Promise<void> {
    try {
      // A set that cannot be fetched or parsed never replaces the one before.
      const { keys } = await cache.getJwks(uri)
      succeeded = steady()
      const fetched = JSON.stringify(keys)
      if (fetched === text) return
      text = fetched
      usable = new Map(keys.map(key => [key.kid!, verificationKeyOf(key)!]))
      onReplaced()
    } catch (cause) {
      if (!closing.signal.aborted) onError(new Error('the keys of JWT_ISSUER could not be fetched; the keys before stay valid', { cause }))
    } finally {
      refreshing = undefined
    }
  }

  async function refresh (): Promise<void> {
    if (refreshing === undefined && steady() - begun >= leastBetween) {
      begun = steady()
      refreshing = fetchNow()
    }
    return refreshing
  }

  const timer = setInterval(() => {
    if (steady() - succeeded >= refreshAfter) void refresh()
  }, leastBetween).unref()
  void refresh()

  return { find: kid => usable.get(kid), refresh, close }

  function close (): void {
    clearInterval(timer)
    closing.abort()
  }
}

/** Fetches bytes. Redirects are not followed: they could lead to plain HTTP. */
async function fetchBytes (uri: string, closing: AbortSignal): Promise<ArrayBuffer> {
  const response = await fetch(uri, { redirect: 'error', signal: AbortSignal.any([closing, AbortSignal.timeout(patience)]), headers: { accept: 'application/json' } })
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk as Uint8Array)
    length += (chunk as Uint8Array).length
    if (length > mostBytes) throw new Error(`expected at most ${mostBytes} bytes`)
  }
  if (response.status !== 200) throw new Error(`the endpoint answered ${response.status}`)
  return new Uint8Array(Buffer.concat(chunks)).buffer
}

/** Returns the keys of a set that can verify tokens; others do not concern the gateway. @throws if there are none */
export function parseKeySet (bytes: ArrayBuffer): Jwks {
  const { keys } = JSON.parse(Buffer.from(bytes).toString()) as { keys?: unknown }
  if (!Array.isArray(keys)) throw new Error('expected a JWKS')
  const good = (keys as unknown[]).filter((key): key is Jwk => verificationKeyOf(key) !== undefined)
  if (good.length === 0) throw new Error('the JWKS has no key for RS256 or ES256')
  // Of two keys with one id, the first counts.
  return { keys: good.filter(({ kid }, i) => good.findIndex(other => other.kid === kid) === i) }
}

/** Returns a key in the form that verifies; undefined if it is for something else, or malformed. */
function verificationKeyOf (key: unknown): VerificationKey | undefined {
  if (typeof key !== 'object' || key === null) return undefined
  const { kid, kty, use, alg, key_ops: operations, crv, n, e, x, y } = key as Record<string, unknown>
  if (typeof kid !== 'string' || kid === '' || (use !== undefined && use !== 'sig')) return undefined
  if (Array.isArray(operations) && !operations.includes('verify')) return undefined
  const algorithm = kty === 'RSA' ? 'RS256' : kty === 'EC' && crv === 'P-256' ? 'ES256' : undefined
  if (algorithm === undefined || (alg !== undefined && alg !== algorithm)) return undefined
  const publicKey = readKey(algorithm === 'RS256' ? { kty, n, e } : { kty, crv, x, y })
  if (publicKey === undefined || (algorithm === 'RS256' && publicKey.asymmetricKeyDetails!.modulusLength! < 2048)) return undefined
  return { algorithm, pem: publicKey.export({ type: 'spki', format: 'pem' }).toString() }
}

function readKey (key: Record<string, unknown>): KeyObject | undefined {
  try {
    return createPublicKey({ key: key as JsonWebKey, format: 'jwk' })
  } catch {
    return undefined
  }
}
