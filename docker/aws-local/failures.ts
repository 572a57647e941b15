import { parsed, type Reply } from './call.ts'
import { faults, Refusal, type Fault } from './refusal.ts'
import type { Service } from './service.ts'

const wireFailures = ['html-502', 'empty-503', 'reset', 'hang', 'truncated-json', 'wrong-shape'] as const
const ownFailures = ['function-error', 'model-error'] as const

/** All failures that a call can be given. */
export const failureNames = [...faults, ...wireFailures, ...ownFailures] as const
export type Failure = typeof failureNames[number]

/** The outcome of a call: an answer, a reset of the connection, or no answer. */
export type Outcome = Reply | 'reset' | 'hang'

/** Returns whether a service has a failure: some failures belong to one service. */
export function canFail (service: Service, failure: Failure): boolean {
  return !isOwn(failure) || service.failures?.[failure] !== undefined
}

/** Returns the outcome of a failing call. @param answer gives the normal answer of the service */
export async function fail (service: Service, failure: Failure, answer: () => Promise<Reply>): Promise<Outcome> {
  switch (failure) {
    case 'reset':
    case 'hang': return failure
    case 'html-502': return { status: 502, headers: { 'content-type': 'text/html' }, body: '<html><body><h1>502 Bad Gateway</h1></body></html>' }
    case 'empty-503': return { status: 503, headers: {}, body: '' }
    case 'truncated-json': return truncated(await answer())
    case 'wrong-shape': return misshapen(await answer())
    default:
      if (isOwn(failure)) return service.failures![failure]!
      throw new Refusal(failure, messages[failure])
  }
}

const messages: Readonly<Record<Fault, string>> = {
  400: 'The input is not valid.',
  403: 'You are not authorized to do this.',
  404: 'The resource does not exist.',
  429: 'Rate exceeded',
  500: 'An internal error occurred.',
  503: 'The service is not available now.'
}

/** Returns a complete HTTP message whose JSON breaks off. */
function truncated (reply: Reply): Reply {
  const text = reply.body.toString()
  return { ...reply, body: text === '' ? '{"' : text.slice(0, Math.ceil(text.length / 2)) }
}

/** Returns the answer with the expected members, each with a wrong type. */
function misshapen (reply: Reply): Reply {
  const answer = parsed(Buffer.from(reply.body))
  const members = typeof answer === 'object' && answer !== null ? Object.entries(answer) : []
  return { ...reply, body: JSON.stringify(Object.fromEntries(members.map(([name, value]) => [name, typeof value === 'string' ? { unexpected: true } : 'unexpected']))) }
}

function isOwn (failure: Failure): failure is typeof ownFailures[number] {
  return (ownFailures as readonly string[]).includes(failure)
}
