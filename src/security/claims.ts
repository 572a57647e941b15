import { scopes, type Principal, type Scope } from './access.ts'

export interface ClaimRules {
  /** Compared with `iss` character by character. */
  issuer: string
  /** One of them must be in `aud`, or without `aud` in `client_id`. */
  audiences: readonly string[]
  /** The claim that names the only user of a token; absent: a token may name any user. */
  userClaim?: string | undefined
  /** The claim that names the only namespaces of a token; absent: all. */
  namespaceClaim?: string | undefined
  scopeClaim: string
  /** The text before `read`, `write` and `admin` in the claim; may be empty. */
  scopePrefix: string
  /** The scopes of a token that names none of ours. */
  defaultScopes: readonly Scope[]
}

/** The principal of a token, until a time in epoch seconds; or the reason for a refusal, for the log only. */
export type Reading = { principal: Principal, expires: number } | string

/** Reads the claims of a token whose signature is valid. @param now epoch seconds */
export function readClaims (claims: Readonly<Record<string, unknown>>, rules: ClaimRules, now: number): Reading {
  const { iss, aud, client_id: client, token_use: tokenUse, exp, nbf, sub } = claims
  if (iss !== rules.issuer) return 'issuer'
  if (tokenUse !== undefined && tokenUse !== 'access' && tokenUse !== 'id') return 'token_use'
  if (!isForUs(aud === undefined ? client : aud, rules.audiences, aud !== undefined)) return 'audience'
  if (!isTime(exp) || exp <= now) return 'expired'
  if (nbf !== undefined && (!isTime(nbf) || nbf > now)) return 'not yet valid'
  const user = rules.userClaim === undefined ? undefined : idOf(claims[rules.userClaim])
  if (rules.userClaim !== undefined && user === undefined) return 'no user'
  const principal: Principal = {
    kind: 'token',
    id: idOf(sub) ?? idOf(client),
    scopes: scopesOf(claims[rules.scopeClaim], rules),
    namespaces: rules.namespaceClaim === undefined ? undefined : namespacesOf(claims[rules.namespaceClaim]),
    user
  }
  return { principal, expires: exp }
}

/** Returns whether an audience is ours. Only `aud` may be a list. */
function isForUs (given: unknown, audiences: readonly string[], mayBeList: boolean): boolean {
  const names: unknown[] = mayBeList && Array.isArray(given) ? given : [given]
  return names.some(name => typeof name === 'string' && audiences.includes(name))
}

function isTime (value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

/** Returns an id as text: a claim may hold a number. */
function idOf (value: unknown): string | undefined {
  if (typeof value === 'string' && value !== '') return value
  return Number.isSafeInteger(value) ? String(value) : undefined
}

/** Returns the names in a claim: a list, or a text with spaces between them. */
function namesOf (claim: unknown): string[] {
  if (typeof claim === 'string') return claim.split(' ').filter(Boolean)
  return Array.isArray(claim) ? claim.filter(name => typeof name === 'string') : []
}

function scopesOf (claim: unknown, { scopePrefix, defaultScopes }: ClaimRules): ReadonlySet<Scope> {
  const names = new Set(namesOf(claim))
  const granted = scopes.filter(scope => names.has(scopePrefix + scope))
  return new Set(granted.length > 0 ? granted : defaultScopes)
}

/** Returns the namespaces of a claim. A name may have spaces in it, so that a text is one name; `*` stands for all. */
function namespacesOf (claim: unknown): ReadonlySet<string> | undefined {
  const names = typeof claim === 'string' ? [claim] : namesOf(claim)
  return names.includes('*') ? undefined : new Set(names)
}
