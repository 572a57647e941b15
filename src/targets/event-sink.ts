import type { Parcel, Sink } from '../delivery/sink.ts'
import type { EventBody } from './body.ts'

export interface EventParcel<T> extends Parcel<T> {
  /** The events in it. */
  readonly eventIds: readonly string[]
}

/** The protocol of an event target, with how a body is taken apart for it. */
export interface EventSink<T> extends Sink<T> {
  readonly split: (body: EventBody) => Array<EventParcel<T>>
}
