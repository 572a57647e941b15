import Type, { type Static } from 'typebox'
import type { Finding } from '../base/validation.ts'
import { accesses, scopes, type Scope } from './access.ts'
import type { JwtOptions } from './jwt.ts'
import { schemes, type SchemeName } from './schemes.ts'

const names = Object.keys(schemes) as SchemeName[]
const text = (description: string) => Type.Optional(Type.String({ minLength: 1, maxLength: 2048, description }))

/** The process settings of authentication. */
export const AuthenticationSettingsSchema = Type.Object({
  AUTH_SCHEME: Type.String({ default: 'none', pattern: `^(none|(${names.join('|')})(, ?(${names.join('|')}))*)$`, description: 'how callers authenticate: none, api-key, jwt, or both with a comma between them' }),
  OPEN_WRITES: Type.Enum(['true', 'false'], { default: 'false', description: 'with AUTH_SCHEME=none: whether the routes for items, users and administrators are open as well' }),
  DOCS_ACCESS: Type.Enum([...accesses], { default: 'public', description: 'the scope that /docs needs' }),
  METRICS_ACCESS: Type.Enum(['private', ...accesses], { default: 'private', description: 'the scope that /metrics needs; private: none from loopback and private addresses, else read' }),
  API_KEYS: Type.Optional(Type.String({ maxLength: 1_000_000, description: 'the records of API keys, as JSON; gateway keys new makes them' })),
  API_KEYS_FILE: text('a file with the records of API keys, which is watched'),
  API_KEYS_SECRET_ID: text('a secret of AWS Secrets Manager with the records of API keys, which is polled'),
  API_KEYS_POLL_INTERVAL: Type.Number({ minimum: 1, maximum: 86_400, default: 60, description: 'seconds between two reads of the secret' }),
  ADMIN_KEY: Type.Optional(Type.String({ minLength: 16, maxLength: 256, pattern: '^[\\x21-\\x7e]*$', description: 'deprecated: an API key of any form with the scope admin' })),
  JWT_ISSUER: text('the issuer of tokens, exactly as their claim iss has it'),
  JWT_JWKS_URI: text('where the issuer publishes its keys; absent: /.well-known/jwks.json below JWT_ISSUER'),
  JWT_AUDIENCE: text('what the claim aud, or without it client_id, must hold; several with commas between them'),
  JWT_USER_CLAIM: text('the claim that names the only user that a token may act for; absent: any user'),
  JWT_NAMESPACE_CLAIM: text('the claim that names the only namespaces of a token, * for all; absent: all'),
  JWT_SCOPE_CLAIM: Type.String({ minLength: 1, maxLength: 256, default: 'scope', description: 'the claim with the scopes of a token' }),
  JWT_SCOPE_PREFIX: Type.String({ maxLength: 256, default: '', description: 'what stands before read, write and admin in the claim' }),
  JWT_DEFAULT_SCOPES: Type.String({ default: 'read', pattern: `^(none|(${scopes.join('|')})(, ?(${scopes.join('|')}))*)$`, description: 'the scopes of a token that names none: none, or a list with commas' })
})

export type AuthenticationSettings = Static<typeof AuthenticationSettingsSchema>

/** Returns the names of a list with commas; `none` is the empty list. */
function listOf (text: string): string[] {
  return text === 'none' ? [] : text.split(',').map(name => name.trim()).filter(Boolean)
}

/** Returns the schemes of valid settings; none: empty. */
export function schemesOf ({ AUTH_SCHEME }: AuthenticationSettings): SchemeName[] {
  return listOf(AUTH_SCHEME) as SchemeName[]
}

/** Returns the options of the scheme `jwt`; undefined if it is off. */
export function jwtOptionsOf (settings: AuthenticationSettings): JwtOptions | undefined {
  if (!schemesOf(settings).includes('jwt')) return undefined
  const { JWT_ISSUER = '', JWT_AUDIENCE = '' } = settings
  return {
    issuer: JWT_ISSUER,
    jwksUri: jwksUriOf(settings),
    audiences: listOf(JWT_AUDIENCE),
    userClaim: settings.JWT_USER_CLAIM,
    namespaceClaim: settings.JWT_NAMESPACE_CLAIM,
    scopeClaim: settings.JWT_SCOPE_CLAIM,
    scopePrefix: settings.JWT_SCOPE_PREFIX,
    defaultScopes: listOf(settings.JWT_DEFAULT_SCOPES) as Scope[]
  }
}

function jwksUriOf ({ JWT_ISSUER = '', JWT_JWKS_URI }: AuthenticationSettings): string {
  return JWT_JWKS_URI ?? `${JWT_ISSUER.replace(/\/$/, '')}/.well-known/jwks.json`
}

/** Returns the mistakes of settings that are valid one by one. */
export function authenticationMistakes (settings: AuthenticationSettings): Finding[] {
  const { API_KEYS, API_KEYS_FILE, API_KEYS_SECRET_ID, ADMIN_KEY, JWT_ISSUER, JWT_AUDIENCE } = settings
  const findings: Finding[] = []
  const names = schemesOf(settings)
  if (names.includes('api-key') && [API_KEYS, API_KEYS_FILE, API_KEYS_SECRET_ID, ADMIN_KEY].every(source => source === undefined)) {
    findings.push({ pointer: '/AUTH_SCHEME', message: 'api-key needs keys; expected API_KEYS, API_KEYS_FILE or API_KEYS_SECRET_ID' })
  }
  if (!names.includes('jwt')) return findings
  if (JWT_ISSUER === undefined) findings.push({ pointer: '/JWT_ISSUER', message: 'is missing; AUTH_SCHEME=jwt needs it' })
  else if (!isSafeUrl(jwksUriOf(settings))) findings.push({ pointer: settings.JWT_JWKS_URI === undefined ? '/JWT_ISSUER' : '/JWT_JWKS_URI', message: 'expected a URL that begins with https://; http:// is for loopback addresses only' })
  if (JWT_AUDIENCE === undefined) findings.push({ pointer: '/JWT_AUDIENCE', message: 'is missing; AUTH_SCHEME=jwt needs it' })
  return findings
}

/** Returns whether nobody in between can replace what is fetched from a URL. */
function isSafeUrl (text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname, username, password } = new URL(text)
  if (username !== '' || password !== '') return false
  return protocol === 'https:' || (protocol === 'http:' && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname))
}
