import type { Parcel, Sink } from '../delivery/sink.ts'
import type { EventBody } from './body.ts'

export interface EventParcel<T> extends Parcel<T> {
  /** The ids of its events. */
  readonly eventIds: readonly string[]
}

/** The protocol of an event target, and the function that splits a body into its parcels. */
export interface EventSink<T> extends Sink<T> {
  readonly split: (body: EventBody) => Array<EventParcel<T>>
}
