/** The reason why a target does not have a parcel. */
export interface Refusal {
  /** The reason in words, for the caller. */
  readonly reason: string
  /** When a retry may help: `now` (the queue retries), `later` (the caller may send it again), or `never`. */
  readonly retry: 'now' | 'later' | 'never'
  /** The internal error, for the log. */
  readonly cause?: unknown
  /** Whether a whole call was refused, so that it is not known which parcel was the cause. */
  readonly whole?: boolean
}

/** The refusal of all parcels of a call that threw. */
export interface Failure extends Refusal {
  /** Whether the target is in trouble. A refusal because of the rate or the content is no sign of that. */
  readonly away: boolean
}

/** A unit of delivery: an event, a record of several events, an item. */
export interface Parcel<T> {
  readonly value: T
  /** The owner, such as the user. Parcels of one owner are delivered in order. */
  readonly owner: string
  /** The holders whose shares of the queue it takes up; absent: its owner. */
  readonly holders?: readonly string[]
  /** In bytes. */
  readonly size: number
}

/** The protocol of a destination of parcels: one call. It does no queuing, retries or ordering. */
export interface Sink<T> {
  /** The most parcels and bytes of one call, and the most calls at once. */
  readonly limits: { readonly parcels: number, readonly bytes: number, readonly calls: number }
  /** Returns the key that all parcels of a call share; absent if any may go together. Parcels of two owners need different keys. */
  readonly groupOf?: (value: T) => string
  /** Whether a call takes all of its parcels or none. If not, a call has at most one parcel of an owner, so that none is overtaken. */
  readonly atomic: boolean
  /**
   * Makes one call.
   * @param signal aborts the call
   * @returns for each parcel the reason why it was not taken; undefined if it was taken
   * @throws if no parcel was taken
   */
  readonly send: (values: readonly T[], signal: AbortSignal) => Promise<ReadonlyArray<Refusal | undefined>>
  readonly failureOf: (error: unknown, signal: AbortSignal) => Failure
}
