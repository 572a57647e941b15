/** How a call to DynamoDB failed: by its rate limit; in DynamoDB or the network; or by the request itself, so that a retry is pointless. */
export type DynamoDbFailure = 'throttled' | 'unavailable' | 'refused'

const throttles: ReadonlySet<string> = new Set(['ProvisionedThroughputExceededException', 'ThrottlingException', 'RequestLimitExceeded'])

/** Classifies an error of the SDK's client. */
export function failureOf (error: unknown): DynamoDbFailure {
  const { name, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } }
  const status = $metadata?.httpStatusCode ?? 0
  if (throttles.has(name) || status === 429) return 'throttled'
  if (name === 'CredentialsProviderError') return 'refused'
  return status >= 400 && status < 500 ? 'refused' : 'unavailable'
}

/** The delay before a retry, with full jitter: random up to `base` ms, doubled after each further failure, at most `cap` ms. */
export interface Backoff {
  base: number
  cap: number
}

/** Returns the delay before the next retry, in ms. @param failures in a row, from 1 */
export function waitAfter (failures: number, { base, cap }: Backoff): number {
  return Math.random() * Math.min(cap, base * 2 ** (failures - 1))
}
