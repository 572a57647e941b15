import { awsFailure } from '../origins/aws-failure.ts'
import { failures } from './failures.ts'
import type { Failure, Refusal } from './sink.ts'

/** Failures by the name of the error. Kinesis and Firehose answer 400 for every error that is not their own fault. */
const failureOfName: Readonly<Record<string, keyof typeof failures>> = {
  ProvisionedThroughputExceededException: 'throttled',
  LimitExceededException: 'throttled',
  KMSThrottlingException: 'throttled',
  ResourceNotFoundException: 'refused',
  AccessDeniedException: 'refused',
  MissingAuthenticationTokenException: 'refused',
  IncompleteSignatureException: 'refused',
  InvalidSignatureException: 'refused',
  UnrecognizedClientException: 'refused',
  ExpiredTokenException: 'refused',
  KMSAccessDeniedException: 'refused',
  KMSDisabledException: 'refused',
  KMSInvalidStateException: 'refused',
  KMSNotFoundException: 'refused',
  KMSOptInRequired: 'refused',
  InvalidKMSResourceException: 'refused'
}

/** Returns the failure for an error that a call of an SDK client has thrown. */
export function awsFailureOf (error: unknown, signal: AbortSignal): Failure {
  const failure = awsFailure(error, signal)
  if (failure === 'bad-request') return failures[failureOfName[(error as Error).name] ?? failure]
  return failure in failures ? failures[failure as keyof typeof failures] : failures.unavailable
}

/** Errors of single records that the records themselves did not cause. */
const passing = new Set(['ProvisionedThroughputExceededException', 'InternalFailure', 'ServiceUnavailableException'])

/** Returns the refusal of one record by its part of the answer to a call; undefined if the record was taken. */
export function refusalOfRecord (result: { ErrorCode?: string | undefined } | undefined): Refusal | undefined {
  if (result === undefined) return failures['invalid-answer']
  if (result.ErrorCode === undefined) return undefined
  return passing.has(result.ErrorCode) ? failures.throttled : failures['bad-request']
}
