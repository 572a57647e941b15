import type { Provider } from '../base/errors.ts'
import { failureOfStatus, OriginError, type OriginFailure } from './origin-error.ts'

interface SdkError extends Error {
  $metadata?: { httpStatusCode?: number }
}

/** Errors that tell more by their name than by their status. */
const failureOfName: Readonly<Record<string, OriginFailure>> = {
  ThrottlingException: 'throttled',
  TooManyRequestsException: 'throttled',
  ModelNotReadyException: 'throttled',
  InternalDependencyException: 'unavailable',
  ValidationException: 'bad-request',
  CredentialsProviderError: 'refused',
  // A 200 whose body is not what the protocol says.
  SyntaxError: 'invalid-answer'
}

/**
 * Classifies what an SDK client threw: by whether we gave up waiting, then by the HTTP status, then by name. A client that never
 * got an answer has no status.
 */
export function awsFailure (error: unknown, signal: AbortSignal): OriginFailure {
  if (signal.aborted) return 'timeout'
  const { name, $metadata } = error as SdkError
  const status = $metadata?.httpStatusCode
  if (status !== undefined && status >= 500) return failureOfStatus(status)
  const byName = failureOfName[name]
  if (byName !== undefined) return byName
  return status === undefined ? 'unavailable' : failureOfStatus(status)
}

/** Runs a call of an SDK client; what it throws comes out classified. */
export async function callAws<T> (provider: Provider, signal: AbortSignal, call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (cause) {
    throw new OriginError(provider, awsFailure(cause, signal), { cause })
  }
}
