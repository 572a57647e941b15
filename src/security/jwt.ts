import { LRUCache } from 'lru-cache'
import { readClaims, type ClaimRules } from './claims.ts'
import type { Principal } from './access.ts'
import { openKeySet, type VerificationKey } from './key-set.ts'
import type { Scheme, Verdict } from './scheme.ts'

export interface JwtOptions extends ClaimRules {
  /** Where the issuer publishes its keys. */
  jwksUri: string
}

/** The functions of the framework's plugin for tokens. Both throw for a bad token. */
export interface TokenTools {
  decodeHeader: (token: string) => Readonly<Record<string, unknown>>
  /** Verifies the signature, `exp` and `nbf`. @returns the claims */
  verify: (token: string, key: VerificationKey) => Readonly<Record<string, unknown>>
}

export interface JwtSchemeOptions extends JwtOptions {
  tools: TokenTools
  /** Epoch milliseconds. */
  now: () => number
  /** Milliseconds on a clock that nobody sets. */
  steady: () => number
  onError: (error: unknown) => void
  /** Receives the reason for each refusal: never text of the token. */
  onRefused: (reason: string) => void
}

/** In characters. Longer tokens are refused unread. */
const longestToken = 8192

/** The approximate memory for verified tokens, in bytes, and for each besides its text. */
const mostRemembered = 16 * 1024 * 1024
const overhead = 500

/** A signed token: three parts in base64url. */
const signed = /^[\w-]+\.[\w-]+\.[\w-]+$/

/** Headers by which a token brings its own keys along, or claims that the gateway has to understand more than it does. */
const suspicious = ['jku', 'x5u', 'jwk', 'x5c', 'crit']

/** The types of tokens that authenticate a caller, in lower case. Others, such as logout tokens, do not. */
const types: ReadonlySet<unknown> = new Set([undefined, 'jwt', 'at+jwt', 'application/at+jwt'])

interface Remembered {
  principal: Principal
  /** Epoch milliseconds. */
  expires: number
}

/** Opens the scheme of bearer tokens of one issuer. Verified tokens are remembered until they expire. */
export function openJwtScheme (options: JwtSchemeOptions): Scheme {
  const { jwksUri: uri, tools, now, steady, onError, onRefused } = options
  // By the whole header, so that a remembered token costs one look-up.
  const remembered = new LRUCache<string, Remembered>({ maxSize: mostRemembered, sizeCalculation: (_value, header) => overhead + 2 * header.length })
  const keys = openKeySet({ uri, steady, onError, onReplaced () { remembered.clear() } })

  function verdict (header: string): Verdict | Promise<Verdict> {
    // `peek` does not update the order of eviction. That is cheaper, and a token in use is soon remembered again.
    const known = remembered.peek(header)
    if (known !== undefined && now() < known.expires) return known.principal
    if (known !== undefined) remembered.delete(header)
    const token = bearerOf(header)
    if (token === undefined) return 'none'
    const kid = kidOf(token)
    if (kid === undefined) return refuse('malformed')
    const key = keys.find(kid)
    if (key !== undefined) return verify(header, token, key)
    return keys.refresh().then(() => {
      const fetched = keys.find(kid)
      return fetched === undefined ? refuse('unknown key') : verify(header, token, fetched)
    })
  }

  /** Returns the id of the key of a token that is worth verifying. */
  function kidOf (token: string): string | undefined {
    if (token.length > longestToken || !signed.test(token)) return undefined
    const { alg, kid, typ, ...others } = attempt(() => tools.decodeHeader(token)) ?? {}
    const isKnown = (alg === 'RS256' || alg === 'ES256') && types.has(typeof typ === 'string' ? typ.toLowerCase() : typ)
    return isKnown && typeof kid === 'string' && !suspicious.some(name => name in others) ? kid : undefined
  }

  function verify (header: string, token: string, key: VerificationKey): Verdict {
    const claims = attempt(() => tools.verify(token, key))
    if (claims === undefined) return refuse('signature or time')
    const reading = readClaims(claims, options, now() / 1000)
    if (typeof reading === 'string') return refuse(reading)
    remembered.set(header, { principal: reading.principal, expires: reading.expires * 1000 })
    return reading.principal
  }

  function refuse (reason: string): 'refused' {
    onRefused(reason)
    return 'refused'
  }

  return {
    openapi: { name: 'Bearer', scheme: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: `A token of ${options.issuer}.` } },
    verdict: ({ authorization }) => authorization === undefined ? 'none' : verdict(authorization),
    challenge: error => `Bearer realm="gateway"${error === undefined ? '' : `, error="${error}"`}`,
    close: keys.close
  }
}

/** Returns the bearer token of a header, which may be malformed; undefined if the header is for another scheme. */
function bearerOf (authorization: string): string | undefined {
  if (authorization.slice(0, 6).toLowerCase() !== 'bearer') return undefined
  if (authorization.length === 6) return ''
  return authorization[6] === ' ' ? authorization.slice(7).trim() : undefined
}

function attempt<T> (read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
