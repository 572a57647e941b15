import { GatewayError, type ErrorCode, type Provider } from '../base/errors.ts'

/** The kinds of failure of a call of a provider. */
export type OriginFailure =
  /** The request of the caller is invalid. Not retried, no fallback, not the provider's fault. */
  | 'bad-request'
  /** The gateway's credentials or configuration are wrong. Not retried; a fallback may answer. */
  | 'refused'
  | 'throttled'
  | 'unavailable'
  | 'timeout'
  | 'invalid-answer'
  /** Not called: the breaker is open. */
  | 'circuit-open'
  /** Not called: too many calls are under way. */
  | 'overloaded'

interface Rule {
  /** The error's code after the provider's name; the whole code for `circuit-open` and `overloaded`. */
  code: string
  message: string
  retried: boolean
  /** Whether the breaker counts it as a failure; false for failures that may depend on the request. */
  counted: boolean
  fallback: boolean
  /** The `Retry-After` of the gateway's answer, in seconds. */
  retryAfter?: number
}

/** The rules for each kind of failure: its error code and message, and whether the gateway retries, counts it and falls back. */
export const failureRules: Readonly<Record<OriginFailure, Rule>> = {
  'bad-request': { code: 'BadRequest', message: 'refused the request', retried: false, counted: false, fallback: false },
  refused: { code: 'Refused', message: 'does not accept calls as the gateway is configured', retried: false, counted: false, fallback: true },
  throttled: { code: 'Throttled', message: 'gets too many calls', retried: true, counted: true, fallback: true, retryAfter: 1 },
  unavailable: { code: 'Unavailable', message: 'is not available', retried: true, counted: true, fallback: true, retryAfter: 1 },
  timeout: { code: 'Timeout', message: 'was too slow', retried: false, counted: true, fallback: true },
  'invalid-answer': { code: 'InvalidAnswer', message: 'gave an answer that cannot be used', retried: false, counted: false, fallback: true },
  'circuit-open': { code: 'CircuitOpen', message: 'failed lately and is not asked for a moment', retried: false, counted: false, fallback: true, retryAfter: 1 },
  overloaded: { code: 'TooManyCalls', message: 'has too many calls under way', retried: false, counted: false, fallback: true, retryAfter: 1 }
}

const providerNames: Readonly<Record<Provider, string>> = { Personalize: 'Amazon Personalize', SageMaker: 'the SageMaker endpoint', Function: 'the function', Http: 'the HTTP recommender' }

export interface OriginErrorOptions {
  cause?: unknown
  /** A message for the caller instead of the usual one. It must not contain text of the provider. */
  message?: string
  /** The error's code instead of the provider's, for a failure before the provider is called. */
  code?: ErrorCode
}

/** A failed call of a provider, with its classification. The cause is for the log only. */
export class OriginError extends Error {
  readonly provider: Provider
  readonly failure: OriginFailure
  readonly code: ErrorCode | undefined

  constructor (provider: Provider, failure: OriginFailure, { cause, message, code }: OriginErrorOptions = {}) {
    super(message ?? `${providerNames[provider]} ${failureRules[failure].message}`, { cause })
    this.name = 'OriginError'
    this.provider = provider
    this.failure = failure
    this.code = code
  }

  toGatewayError (): GatewayError {
    const { code, retryAfter } = failureRules[this.failure]
    const whole = this.failure === 'circuit-open' || this.failure === 'overloaded' ? code : `${this.provider}${code}`
    return new GatewayError(this.code ?? whole as ErrorCode, this.message, { cause: this, ...(retryAfter === undefined ? {} : { retryAfter }) })
  }
}

/** Returns the failure for an HTTP status of a provider. */
export function failureOfStatus (status: number): OriginFailure {
  if (status === 429) return 'throttled'
  if (status === 408 || status === 504) return 'timeout'
  if (status >= 500) return 'unavailable'
  if (status === 401 || status === 403 || status === 404) return 'refused'
  return status >= 400 ? 'bad-request' : 'invalid-answer'
}
