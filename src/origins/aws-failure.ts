import type { Provider } from '../base/errors.ts'
import { failureOfStatus, OriginError, type OriginFailure } from './origin-error.ts'

interface SdkError extends Error {
  $metadata?: { httpStatusCode?: number }
}

/** The failures of errors whose name says more than their status. */
const failureOfName: Readonly<Record<string, OriginFailure>> = {
  ThrottlingException: 'throttled',
  TooManyRequestsException: 'throttled',
  ModelNotReadyException: 'throttled',
  InternalDependencyException: 'unavailable',
  ValidationException: 'bad-request',
  CredentialsProviderError: 'refused',
  // The service answered 200 with a body that the SDK cannot parse.
  SyntaxError: 'invalid-answer'
}

/**
 * Classifies an error that an SDK client threw: first `timeout` if the signal is aborted, then a status of 500 or more, then the name of
 * the error, then any other HTTP status. The error has no status if the client got no answer.
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

/** Runs a call of an SDK client. @throws OriginError with the classification of the client's error */
export async function callAws<T> (provider: Provider, signal: AbortSignal, call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (cause) {
    throw new OriginError(provider, awsFailure(cause, signal), { cause })
  }
}
