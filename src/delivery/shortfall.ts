import type { Refusal } from './sink.ts'

/** Why a destination does not have all that it was given. */
export interface Shortfall {
  /** For the caller to read. */
  readonly reason: string
  /** Whether sending it again may help. */
  readonly retryable: boolean
  /** What went wrong inside, for the log. */
  readonly cause?: unknown
}

/** By destination; those that have all are not in it. */
type Shortfalls = ReadonlyMap<string, Shortfall>

/** Of several of which some were refused, in words of the first; undefined where none was. */
export function shortfallOf (refusals: ReadonlyArray<Refusal | undefined>): Shortfall | undefined {
  const found = refusals.filter(refusal => refusal !== undefined)
  const [first] = found
  return first && { reason: first.reason, cause: first.cause, retryable: found.some(({ retry }) => retry !== 'never') }
}

/** What an answer says of a destination. @param taken what it says of one that has all */
export function told (shortfall: Shortfall | undefined, taken = 'delivered'): string {
  return shortfall === undefined ? taken : `failed: ${shortfall.reason}`
}

export function isRetryable (shortfalls: Shortfalls): boolean {
  return [...shortfalls.values()].some(({ retryable }) => retryable)
}

/** What the log is told. */
export function causeOf (shortfalls: Shortfalls): AggregateError {
  return new AggregateError([...shortfalls].map(([name, { reason, cause }]) => cause ?? new Error(`${name}: ${reason}`)))
}
