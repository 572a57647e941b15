import type { Static, TSchema } from 'typebox'
import { json, type Call, type Reply } from './call.ts'
import { reader } from './input.ts'
import type { Protocol } from './protocol.ts'
import type { FaultTable } from './refusal.ts'

export interface Operation {
  /** @throws Refusal */
  answer: (call: Call) => Reply | Promise<Reply>
  /** Throttling fails its records one by one, not the call. */
  perRecord?: true
}

export interface Service {
  readonly name: string
  readonly protocol: Protocol
  readonly faults: FaultTable
  /** What the `x-amz-target` of its calls begins with; absent where the path tells. */
  readonly target?: string
  /** By name where there is a target, else by method and path (`POST /things/:name`). */
  readonly operations: Readonly<Record<string, Operation>>
  /** Failures that only this service knows. */
  readonly failures?: Readonly<Record<string, Reply>>
}

/** An operation that takes and gives JSON. */
export function operation<S extends TSchema> (input: S, answer: (input: Static<S>, call: Call) => unknown): Operation {
  const read = reader(input)
  return { answer: call => json(answer(read(call.body), call)) }
}

/** An operation on a batch of records, some of which may fail where others do not. */
export function batchOperation<S extends TSchema> (input: S, answer: (input: Static<S>, call: Call) => unknown): Operation {
  return { ...operation(input, answer), perRecord: true }
}
