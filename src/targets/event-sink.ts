import type { Parcel, Sink } from '../delivery/sink.ts'
import type { EventBody } from './body.ts'

export interface EventParcel<T> extends Parcel<T> {
  /** The ids of its events. */
  readonly eventIds: readonly string[]
}

/** The protocol of an event target, and the function that splits a body into its parcels. */
export interface EventSink<T> extends Sink<T> {
  /** Whether it takes whole bodies (see `EventTarget`). */
  readonly takesBodies?: true
  /** Whether it takes impressions (see `EventTarget`). */
  readonly takesImpressions?: true
  readonly split: (body: EventBody) => Array<EventParcel<T>>
  /** Returns the holders of a body (see `Parcel`); absent: its owner. */
  readonly holdersOf?: (body: EventBody) => readonly string[]
}
