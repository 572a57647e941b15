import type { Failure, Refusal } from '../../src/delivery/sink.ts'
import type { EventParcel, EventSink } from '../../src/targets/event-sink.ts'
import { ownerOf } from '../../src/targets/body.ts'

/** A parcel's value in a fake sink. */
export interface Thing {
  readonly id: string
  readonly owner: string
  readonly group: string
  readonly size: number
}

/** Thrown by a call to make it fail in a given way. */
export class SinkFailure extends Error {
  readonly failure: Failure

  constructor (failure: Failure) {
    super(failure.reason)
    this.failure = failure
  }
}

/** Answers a call: for each thing the reason why the sink refuses it, if it does. If the answer throws, the sink takes no thing. */
export type Answer = (things: readonly Thing[], signal: AbortSignal) => Promise<ReadonlyArray<Refusal | undefined>>

export interface FakeSink extends EventSink<Thing> {
  /** The things of each call, in the order of the calls. */
  readonly calls: ReadonlyArray<readonly Thing[]>
  readonly underWay: number
  readonly mostUnderWay: number
  /** Answers the next calls. */
  answer: Answer
}

export const takesAll: Answer = async things => things.map(() => undefined)

/** Creates a sink whose answers a test controls. */
export function fakeSink (more: Partial<Pick<FakeSink, 'limits' | 'atomic' | 'groupOf' | 'failureOf' | 'answer'>> = {}): FakeSink {
  const calls: Array<readonly Thing[]> = []
  let [underWay, mostUnderWay] = [0, 0]
  const sink: FakeSink = {
    limits: { parcels: 10, bytes: 1_000, calls: 4 },
    atomic: false,
    answer: takesAll,
    failureOf: error => {
      if (error instanceof SinkFailure) return error.failure
      throw error
    },
    ...more,
    split: body => body.events.map(({ eventId }) => parcelOf({ id: eventId, owner: ownerOf(body) })),
    get calls () { return calls },
    get underWay () { return underWay },
    get mostUnderWay () { return mostUnderWay },
    async send (things, signal) {
      calls.push(things)
      mostUnderWay = Math.max(mostUnderWay, ++underWay)
      try {
        return await sink.answer(things, signal)
      } finally {
        underWay--
      }
    }
  }
  return sink
}

/** Returns a parcel with one thing. */
export function parcelOf ({ id, owner = 'u', group = owner, size = 10 }: Partial<Thing> & Pick<Thing, 'id'>): EventParcel<Thing> {
  return { value: { id, owner, group, size }, owner, size, eventIds: [id] }
}

/** Returns an answer that holds calls until a test releases them, one by one, in order of arrival. */
export function heldCalls (then: Answer = takesAll): { answer: Answer, release: () => void, readonly waiting: number } {
  const waiting: Array<() => void> = []
  return {
    async answer (things, signal) {
      await new Promise<void>(resolve => { waiting.push(resolve) })
      return then(things, signal)
    },
    release () { waiting.shift()!() },
    get waiting () { return waiting.length }
  }
}
