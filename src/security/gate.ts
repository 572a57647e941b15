import type { IncomingHttpHeaders } from 'node:http'
import { GatewayError } from '../base/errors.ts'
import { forbidden, hasScope, requireUser, type Access, type Principal } from './access.ts'
import type { Scheme } from './scheme.ts'

/** The need of a route: `private` is for callers from private addresses, and for keys. */
export type Need = Access | 'private'

/** The part of a route's configuration that decides who may call it. */
export interface RouteNeed {
  /** Absent: nobody may. */
  access?: Need
  /** Whether the route is open where no scheme is on, although it is a write. */
  anonymous?: boolean
}

export interface GateOptions {
  schemes: readonly Scheme[]
  /** Whether requests need credentials. Without, only some routes do. */
  closed: boolean
  /** Whether the routes that need credentials even so are open as well. */
  openWrites: boolean
}

/** The part of a request that decides whether it may pass. */
export interface Visitor {
  headers: IncomingHttpHeaders
  params: { namespace?: string, userId?: string }
}

/** Decides who may pass. */
export interface Gate {
  /** Returns whether a route takes every caller. */
  isOpen: (need: RouteNeed) => boolean
  /** Returns the caller of a request to a route that is not open, at once unless something must be fetched. @throws GatewayError 401, 403 */
  admit: (need: RouteNeed, visitor: Visitor) => Principal | Promise<Principal>
  /** Returns the value of `WWW-Authenticate` for an error that `admit` has thrown. */
  challenge: (error: GatewayError, headers: IncomingHttpHeaders) => string
}

export function createGate ({ schemes, closed, openWrites }: GateOptions): Gate {
  function isOpen ({ access, anonymous }: RouteNeed): boolean {
    if (access === undefined || access === 'private') return false
    return access === 'public' || (!closed && (access === 'read' || anonymous === true || openWrites))
  }

  /** Returns the principal of the first scheme whose credentials are right. */
  function identify (headers: IncomingHttpHeaders, from = 0): Principal | Promise<Principal> {
    for (let i = from; i < schemes.length; i++) {
      const verdict = schemes[i]!.verdict(headers)
      if (verdict instanceof Promise) return verdict.then(async known => typeof known === 'string' ? identify(headers, i + 1) : known)
      if (typeof verdict !== 'string') return verdict
    }
    throw unauthorized()
  }

  function permit (principal: Principal, { access }: RouteNeed, { params }: Visitor): Principal {
    if (access === undefined || access === 'public') throw forbidden()
    if (!hasScope(principal, access === 'private' ? 'read' : access)) throw forbidden()
    // A route without a namespace concerns all of them.
    if (principal.namespaces !== undefined && (params.namespace === undefined || !principal.namespaces.has(params.namespace))) throw forbidden()
    if (params.userId !== undefined) requireUser(principal, params.userId)
    return principal
  }

  return {
    isOpen,
    admit (need, visitor) {
      const principal = identify(visitor.headers)
      return principal instanceof Promise ? principal.then(known => permit(known, need, visitor)) : permit(principal, need, visitor)
    },
    challenge ({ status }, headers) {
      return schemes.map(scheme => scheme.challenge(status === 403 ? 'insufficient_scope' : hasBearer(headers) ? 'invalid_token' : undefined)).join(', ')
    }
  }
}

/** Returns the error for every request without valid credentials. It does not tell why they are not valid. */
export function unauthorized (): GatewayError {
  return new GatewayError('Unauthorized', 'expected valid credentials')
}

/** Returns whether a request has the header that holds tokens (RFC 6750 §3.1: without credentials, the challenge names no error). */
function hasBearer ({ authorization }: IncomingHttpHeaders): boolean {
  return authorization !== undefined
}
