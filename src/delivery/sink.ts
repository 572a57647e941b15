/** Why a target does not have something. */
export interface Refusal {
  /** For the caller to read. */
  readonly reason: string
  /** When trying again may help: at once, when whoever sent it does, or never. */
  readonly retry: 'now' | 'later' | 'never'
  /** What went wrong inside, for the log. */
  readonly cause?: unknown
  /** It is that of a whole call: it is not known for whose sake. */
  readonly whole?: boolean
}

/** What a call that threw means for all that it was to bring. */
export interface Failure extends Refusal {
  /** Whether the target is in trouble; what it refuses for its rate or its content is no sign of that. */
  readonly away: boolean
}

/** What is delivered as one: an event, a record of several, an item. */
export interface Parcel<T> {
  readonly value: T
  /** Whose it is: what is of one user goes in order. */
  readonly owner: string
  /** In bytes. */
  readonly size: number
}

/** The protocol of what takes parcels: one call. It knows nothing of queues, retries or order. */
export interface Sink<T> {
  /** What one call takes at most, and how many calls may be under way at once. */
  readonly limits: { readonly parcels: number, readonly bytes: number, readonly calls: number }
  /** What all parcels of a call have in common; absent where any may go together. It has to tell owners apart. */
  readonly groupOf?: (value: T) => string
  /** Whether a call takes all of its parcels or none. Where not, a call never has two of one owner: the second could overtake the first. */
  readonly atomic: boolean
  /**
   * @param signal ends the wait
   * @returns for each parcel why it was not taken; undefined where it was
   * @throws where none was taken
   */
  readonly send: (values: readonly T[], signal: AbortSignal) => Promise<ReadonlyArray<Refusal | undefined>>
  readonly failureOf: (error: unknown, signal: AbortSignal) => Failure
}
