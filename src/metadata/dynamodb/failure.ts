/** How a call of DynamoDB failed: for its rate; on its side or on the way; or for what was asked, which asking again does not mend. */
export type DynamoDbFailure = 'throttled' | 'unavailable' | 'refused'

const throttles: ReadonlySet<string> = new Set(['ProvisionedThroughputExceededException', 'ThrottlingException', 'RequestLimitExceeded'])

/** Classifies what the SDK's client threw. */
export function failureOf (error: unknown): DynamoDbFailure {
  const { name, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } }
  const status = $metadata?.httpStatusCode ?? 0
  if (throttles.has(name) || status === 429) return 'throttled'
  if (name === 'CredentialsProviderError') return 'refused'
  return status >= 400 && status < 500 ? 'refused' : 'unavailable'
}

/** How long to wait before trying again: at random up to `base` ms, twice that after each further failure, never over `cap`. */
export interface Backoff {
  base: number
  cap: number
}

/** @param failures in a row, from 1 */
export function waitAfter (failures: number, { base, cap }: Backoff): number {
  return Math.random() * Math.min(cap, base * 2 ** (failures - 1))
}
