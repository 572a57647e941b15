import { createHmac, generateKeyPairSync, sign, type JsonWebKey, type KeyObject } from 'node:crypto'
import { createServer } from 'node:http'
import type { Test } from 'tap'
import type { JwtOptions } from '../../src/security/jwt.ts'
import { listen } from './listen.ts'

/** A signing key of an issuer. */
export interface SigningKey {
  alg: 'RS256' | 'ES256'
  kid: string
  privateKey: KeyObject
  publicKey: KeyObject
  /** The public key, as a JWKS has it. */
  jwk: JsonWebKey & { kid?: string, alg?: string, use?: string }
}

export interface TokenIssuer {
  url: string
  /** The answer of its JWKS endpoint. A test may replace it. */
  answer: { status: number, type: string, body: string }
  /** The number of fetches of its keys. */
  fetches: number
  /** Replaces its keys. */
  publish: (...keys: SigningKey[]) => void
  /** Options of a gateway that trusts it. */
  options: (more?: Partial<JwtOptions>) => JwtOptions
}

export const audience = 'client-of-a-test'

export function signingKey (kid: string, alg: SigningKey['alg'] = 'RS256'): SigningKey {
  const { privateKey, publicKey } = alg === 'RS256' ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { alg, kid, privateKey, publicKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' } }
}

/** Starts an issuer with a real JWKS endpoint, which ends with the test. */
export async function startIssuer (t: Test, ...keys: SigningKey[]): Promise<TokenIssuer> {
  const issuer: TokenIssuer = {
    url: '',
    answer: { status: 200, type: 'application/json', body: '' },
    fetches: 0,
    publish (...published) { issuer.answer = { status: 200, type: 'application/json', body: JSON.stringify({ keys: published.map(({ jwk }) => jwk) }) } },
    options: more => ({
      issuer: issuer.url,
      jwksUri: `${issuer.url}/.well-known/jwks.json`,
      audiences: [audience],
      scopeClaim: 'scope',
      scopePrefix: '',
      defaultScopes: ['read'],
      ...more
    })
  }
  issuer.publish(...keys)
  issuer.url = await listen(t, createServer((_request, response) => {
    issuer.fetches++
    const { status, type, body } = issuer.answer
    response.writeHead(status, { 'content-type': type }).end(body)
  }))
  return issuer
}

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Returns a token. @param header members beside, or in the place of, those of the key */
export function tokenOf ({ alg, kid, privateKey }: SigningKey, claims: object, header: object = {}): string {
  const input = `${encoded({ alg, kid, typ: 'JWT', ...header })}.${encoded(claims)}`
  const signature = sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}

/** Returns a token whose signature is an HMAC by some text. */
export function hmacTokenOf (secret: string, claims: object, header: object): string {
  const input = `${encoded({ alg: 'HS256', typ: 'JWT', ...header })}.${encoded(claims)}`
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
}

/** Returns a token without a signature. */
export function unsignedTokenOf (claims: object, header: object): string {
  return `${encoded({ alg: 'none', typ: 'JWT', ...header })}.${encoded(claims)}.`
}

/** Returns the claims of an access token of Amazon Cognito, which has no `aud`. */
export function accessClaims ({ url }: TokenIssuer, more: object = {}): Record<string, unknown> {
  const now = Math.floor(Date.now() / 1000)
  return { iss: url, sub: 'subject-of-a-test', token_use: 'access', client_id: audience, scope: 'read', iat: now, exp: now + 3600, ...more }
}
