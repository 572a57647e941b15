import type { Static, TSchema } from 'typebox'
import { json, type Call, type Reply } from './call.ts'
import { reader } from './input.ts'
import type { Protocol } from './protocol.ts'
import type { FaultTable } from './refusal.ts'

export interface Operation {
  /** @throws Refusal */
  answer: (call: Call) => Reply | Promise<Reply>
  /** Throttling applies to each record instead of the call. */
  perRecord?: true
}

export interface Service {
  readonly name: string
  readonly protocol: Protocol
  readonly faults: FaultTable
  /** The prefix of `x-amz-target` in calls of the service; absent if the path selects the operation. */
  readonly target?: string
  /** By name if the service has a target, else by method and path (`POST /things/:name`). */
  readonly operations: Readonly<Record<string, Operation>>
  /** Failures that only this service has. */
  readonly failures?: Readonly<Record<string, Reply>>
}

/** Returns an operation with JSON input and output. */
export function operation<S extends TSchema> (input: S, answer: (input: Static<S>, call: Call) => unknown): Operation {
  const read = reader(input)
  return { answer: call => json(answer(read(call.body), call)) }
}

/** Returns an operation on a batch of records, of which some may fail. */
export function batchOperation<S extends TSchema> (input: S, answer: (input: Static<S>, call: Call) => unknown): Operation {
  return { ...operation(input, answer), perRecord: true }
}
