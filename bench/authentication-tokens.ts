import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'

/** Makes tokens of an issuer. */
export interface Tokens {
  /** The key set that the issuer publishes. */
  jwks: string
  make: (issuer: string, count: number) => string[]
  /** Verifies one signature, as the library does for a token that is not remembered. */
  verify: () => void
}

export function createTokens (): Tokens {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const make = (issuer: string, count: number): string[] => Array.from({ length: count }, (_, i) => {
    const now = Math.floor(Date.now() / 1000)
    const input = `${encoded({ alg: 'RS256', kid: 'bench', typ: 'JWT' })}.${encoded({ iss: issuer, sub: `8f6b4bd2-7f5b-4a52-9d3e-${i}`, token_use: 'access', client_id: 'bench', scope: 'read openid profile email', auth_time: now, iat: now, exp: now + 3600, username: `user-${i}`, jti: `7c9e6679-7425-40de-944b-e07fc1f90ae7-${i}` })}`
    return `${input}.${sign('sha256', Buffer.from(input), privateKey).toString('base64url')}`
  })
  const [token = ''] = make('https://issuer.example', 1)
  const [header, payload, signature] = token.split('.')
  const pem = publicKey.export({ type: 'spki', format: 'pem' })
  return {
    jwks: JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'bench', alg: 'RS256', use: 'sig' }] }),
    make,
    verify () {
      if (!verify('sha256', Buffer.from(`${header}.${payload}`), createPublicKey(pem), Buffer.from(signature!, 'base64url'))) throw new Error('the signature is wrong')
    }
  }
}
