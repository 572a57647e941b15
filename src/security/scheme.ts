import type { IncomingHttpHeaders } from 'node:http'
import type { Principal } from './access.ts'

/** The principal of a request's credentials; `none`: the request has no credentials of the scheme; `refused`: it has wrong ones. */
export type Verdict = Principal | 'none' | 'refused'

/** The parameters of a challenge that RFC 6750 §3 names. */
export type ChallengeError = 'invalid_token' | 'insufficient_scope'

/** A way to authenticate. A file holds one scheme. */
export interface Scheme {
  /** Its name in `securitySchemes`, and its description there. */
  readonly openapi: { readonly name: string, readonly scheme: object }
  /** Returns the verdict on a request; at once if nothing has to be looked up elsewhere. */
  verdict: (headers: IncomingHttpHeaders) => Verdict | Promise<Verdict>
  /** Returns the value of `WWW-Authenticate` for a refusal. @param error undefined: the request has no credentials */
  challenge: (error?: ChallengeError) => string
  close: () => void
}
