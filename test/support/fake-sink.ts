import type { Failure, Refusal } from '../../src/delivery/sink.ts'
import type { EventParcel, EventSink } from '../../src/targets/event-sink.ts'
import { ownerOf } from '../../src/targets/body.ts'

/** What a fake sink takes. */
export interface Thing {
  readonly id: string
  readonly owner: string
  readonly group: string
  readonly size: number
}

/** What a call that throws says of itself. */
export class SinkFailure extends Error {
  readonly failure: Failure

  constructor (failure: Failure) {
    super(failure.reason)
    this.failure = failure
  }
}

/** What becomes of a call: for each thing why it is not taken. Who throws takes none. */
export type Answer = (things: readonly Thing[], signal: AbortSignal) => Promise<ReadonlyArray<Refusal | undefined>>

export interface FakeSink extends EventSink<Thing> {
  /** The things of each call, in the order of the calls. */
  readonly calls: ReadonlyArray<readonly Thing[]>
  readonly underWay: number
  readonly mostUnderWay: number
  /** From the next call on. */
  answer: Answer
}

export const takesAll: Answer = async things => things.map(() => undefined)

/** A target of a test's own, which is told what to say. */
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

export function parcelOf ({ id, owner = 'u', group = owner, size = 10 }: Partial<Thing> & Pick<Thing, 'id'>): EventParcel<Thing> {
  return { value: { id, owner, group, size }, owner, size, eventIds: [id] }
}

/** An answer that keeps calls waiting until a test lets them go on, in the order in which they came. */
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
