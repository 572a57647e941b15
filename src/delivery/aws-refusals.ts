import { awsFailure } from '../origins/aws-failure.ts'
import { failures } from './failures.ts'
import type { Failure, Refusal } from './sink.ts'

/** Errors of Kinesis and Firehose, whose protocol has the status 400 for all that is not their own fault. */
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

/** What a call of an SDK client that threw means. */
export function awsFailureOf (error: unknown, signal: AbortSignal): Failure {
  const failure = awsFailure(error, signal)
  if (failure === 'bad-request') return failures[failureOfName[(error as Error).name] ?? failure]
  return failure in failures ? failures[failure as keyof typeof failures] : failures.unavailable
}

/** Errors of single records that are not for their sake. */
const passing = new Set(['ProvisionedThroughputExceededException', 'InternalFailure', 'ServiceUnavailableException'])

/** What the answer to a call says of one of its records: it was taken where there is no error. */
export function refusalOfRecord (result: { ErrorCode?: string | undefined } | undefined): Refusal | undefined {
  if (result === undefined) return failures['invalid-answer']
  if (result.ErrorCode === undefined) return undefined
  return passing.has(result.ErrorCode) ? failures.throttled : failures['bad-request']
}
