import { GatewayError } from '../base/errors.ts'

/** The needs that a route can have: none, or one of the scopes. */
export const accesses = ['public', 'read', 'write', 'admin'] as const
export type Access = typeof accesses[number]

/** The scopes of keys and tokens. */
export const scopes = ['read', 'write', 'admin'] as const
export type Scope = typeof scopes[number]

/** The caller of a request, as far as its credentials tell. */
export interface Principal {
  /** The kind of credentials; `none` for a caller of an open route, whose credentials are not looked at. */
  readonly kind: 'none' | 'key' | 'token'
  /** The id of the key, or the subject of the token. It is no secret, but it may identify a person, so that no log may hold it. */
  readonly id: string | undefined
  readonly scopes: ReadonlySet<Scope>
  /** The namespaces that the caller is limited to; undefined: all. */
  readonly namespaces: ReadonlySet<string> | undefined
  /** The only user that the caller may act for; undefined: any. */
  readonly user: string | undefined
}

/** The caller of an open route. The route is open, so the principal needs no scopes. */
export const anonymous: Principal = { kind: 'none', id: undefined, scopes: new Set(), namespaces: undefined, user: undefined }

/** Returns whether a principal has a scope. `admin` includes the other scopes; `write` does not include `read`. */
export function hasScope ({ scopes }: Principal, needed: Scope): boolean {
  return scopes.has(needed) || scopes.has('admin')
}

/** Returns the error for every refusal of valid credentials. It does not tell whether scope, namespace or user were the reason. */
export function forbidden (): GatewayError {
  return new GatewayError('Forbidden', 'these credentials do not allow this')
}

/**
 * Throws if a principal may not act for a user. Ids are compared as they are used, after decoding, so that another spelling of an id is another user.
 * @param userId undefined: a request that names no user, which a principal of one user may make only where no user is concerned
 * @throws GatewayError 403
 */
export function requireUser ({ user }: Principal, userId: string | undefined): void {
  if (user !== undefined && user !== userId) throw forbidden()
}
