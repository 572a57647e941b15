import { setTimeout as sleep } from 'node:timers/promises'
import { header, parsed, type Call, type ReceivedCall, type Reply } from './call.ts'
import type { Behaviours } from './behaviour.ts'
import { fail, type Outcome } from './failures.ts'
import type { Recording } from './recording.ts'
import { Refusal } from './refusal.ts'
import type { Service } from './service.ts'

export interface ServeOptions {
  behaviours: Behaviours
  requests: Recording
  /** From 0 up to 1. */
  random: () => number
}

const signature = /^AWS4-HMAC-SHA256 Credential=[^/,]+\/\d{8}\/[a-z0-9-]+\/[a-z0-9-]+\/aws4_request, ?SignedHeaders=[^,]+, ?Signature=[0-9a-f]{64}$/

/**
 * Handles one call: records it, checks that it has a signature (not that the signature is correct), applies the behaviour set for the
 * service, then runs the operation.
 * @param signal ends a wait, when the caller is gone and the outcome no longer matters
 */
export async function serve (service: Service, name: string, received: ReceivedCall, signal: AbortSignal, options: ServeOptions): Promise<Outcome> {
  const request = options.requests.add(service.name, name, received)
  const outcome = await outcomeOf(service, name, received, signal, options)
  if (typeof outcome === 'object') request.reply = { status: outcome.status, body: parsed(Buffer.from(outcome.body)) }
  return outcome
}

async function outcomeOf (service: Service, name: string, received: ReceivedCall, signal: AbortSignal, options: ServeOptions): Promise<Outcome> {
  const { behaviours, random } = options
  const { latencyMs = 0, throttleShare = 0, failure } = behaviours.next(service.name)
  const call = { ...received, throttled: () => random() < throttleShare }
  try {
    checkSignature(call)
    if (latencyMs > 0) await sleep(latencyMs, undefined, { signal, ref: false })
    const answer = async (): Promise<Reply> => answerOf(service, name, call)
    return failure === undefined ? await answer() : await fail(service, failure, answer)
  } catch (error) {
    if (error instanceof Refusal) return refuse(service, error)
    if (signal.aborted) return 'reset'
    throw error
  }
}

async function answerOf (service: Service, name: string, call: Call): Promise<Reply> {
  const { contentType } = service.protocol
  const operation = Object.hasOwn(service.operations, name) ? service.operations[name] : undefined
  if (operation === undefined) throw new Refusal('400', `There is no operation ${name}.`, { code: 'UnknownOperationException' })
  if (service.target !== undefined && !header(call, 'content-type')?.startsWith(contentType)) {
    throw new Refusal('400', `The content type must be ${contentType}.`, { code: 'SerializationException' })
  }
  if (operation.perRecord === undefined && call.throttled()) throw new Refusal('429', 'Rate exceeded')
  const reply = await operation.answer(call)
  return { ...reply, headers: { 'content-type': contentType, ...reply.headers } }
}

function checkSignature (call: ReceivedCall): void {
  const authorization = header(call, 'authorization')
  if (authorization === undefined) {
    throw new Refusal('403', 'Missing Authentication Token', { code: 'MissingAuthenticationTokenException', status: 403 })
  }
  if (!signature.test(authorization)) {
    throw new Refusal('400', 'The authorization header is not a complete signature of version 4.', { code: 'IncompleteSignatureException' })
  }
}

function refuse ({ protocol, faults }: Service, { fault, shape, message }: Refusal): Reply {
  const reply = protocol.error({ ...faults[fault], ...shape }, message)
  return { ...reply, headers: { 'content-type': protocol.contentType, ...reply.headers } }
}
