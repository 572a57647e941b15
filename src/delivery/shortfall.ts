import type { Refusal } from './sink.ts'

/** The reason why a destination does not have everything that it was given. */
export interface Shortfall {
  /** The reason in words, for the caller. */
  readonly reason: string
  /** Whether a retry by the caller may help. */
  readonly retryable: boolean
  /** The internal error, for the log. */
  readonly cause?: unknown
}

/** By destination. Destinations that have everything are not in the map. */
type Shortfalls = ReadonlyMap<string, Shortfall>

/** Returns one shortfall for several deliveries, with the reason of the first refusal; undefined if none was refused. */
export function shortfallOf (refusals: ReadonlyArray<Refusal | undefined>): Shortfall | undefined {
  const found = refusals.filter(refusal => refusal !== undefined)
  const [first] = found
  return first && { reason: first.reason, cause: first.cause, retryable: found.some(({ retry }) => retry !== 'never') }
}

/** Returns the outcome for a destination, in the words of an answer. @param taken the outcome of one that has everything */
export function told (shortfall: Shortfall | undefined, taken = 'delivered'): string {
  return shortfall === undefined ? taken : `failed: ${shortfall.reason}`
}

export function isRetryable (shortfalls: Shortfalls): boolean {
  return [...shortfalls.values()].some(({ retryable }) => retryable)
}

/** Returns the internal errors of all shortfalls, for the log. */
export function causeOf (shortfalls: Shortfalls): AggregateError {
  return new AggregateError([...shortfalls].map(([name, { reason, cause }]) => cause ?? new Error(`${name}: ${reason}`)))
}
