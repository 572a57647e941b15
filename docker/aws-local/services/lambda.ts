import { header, json, type Call, type Reply } from '../call.ts'
import { restFaults, restJson } from '../protocol.ts'
import { Refusal } from '../refusal.ts'
import { answerPayload } from '../payload.ts'
import type { Scope } from '../scope.ts'
import type { Service } from '../service.ts'

/** Limits of the payload by type of invocation. */
const mostBytes = { RequestResponse: 6 * 1024 * 1024, Event: 1024 * 1024, DryRun: 6 * 1024 * 1024 }
const name = /^(?:arn:[a-z0-9-]+:lambda:[a-z0-9-]+:\d{12}:function:|(?:\d{12}:)?(?:function:)?)?([a-zA-Z0-9_-]{1,64})(?::(\$LATEST|[a-zA-Z0-9_-]+))?$/

/** Opens AWS Lambda. A function of any name exists: it runs its handler, or else answers from the model. */
export function lambda (scope: Scope): Service {
  return {
    name: 'lambda',
    protocol: restJson(),
    faults: {
      ...restFaults,
      400: { code: 'InvalidParameterValueException', status: 400, more: { Type: 'User' } },
      404: { code: 'ResourceNotFoundException', status: 404, more: { Type: 'User' } },
      429: {
        code: 'TooManyRequestsException',
        status: 429,
        more: { Type: 'User', Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded' },
        headers: { 'retry-after': '1' }
      },
      500: { code: 'ServiceException', status: 500, more: { Type: 'Service' } }
    },
    operations: {
      'POST /2015-03-31/functions/:function/invocations': {
        answer: call => invoke(call, (name, payload) => (scope.functions[name] ?? (payload => answerPayload(payload, scope)))(payload))
      }
    },
    failures: { 'function-error': failed(new Error('the function crashed'), { 'x-amz-executed-version': '$LATEST' }) }
  }
}

function invoke (call: Call, run: (name: string, payload: unknown) => unknown): Reply {
  const [, functionName, suffix] = name.exec(call.params['function']!) ?? []
  if (functionName === undefined) throw new Refusal('400', 'FunctionName is neither a name nor an ARN')
  const type = header(call, 'x-amz-invocation-type') ?? 'RequestResponse'
  if (!isType(type)) throw new Refusal('400', `InvocationType ${type} is not one`)
  if (call.body.length > mostBytes[type]) {
    throw new Refusal('400', `The request must have at most ${mostBytes[type]} bytes.`, { code: 'RequestTooLargeException', status: 413 })
  }
  const payload = parse(call.body)

  const headers = { 'x-amz-executed-version': call.query['Qualifier'] ?? suffix ?? '$LATEST' }
  if (type === 'DryRun') return json(undefined, 204)
  try {
    const result = run(functionName, payload)
    return type === 'Event' ? json(undefined, 202) : json(result ?? null, 200, { ...headers, ...logs(call, 'END') })
  } catch (error) {
    return type === 'Event' ? json(undefined, 202) : failed(error as Error, { ...headers, ...logs(call, (error as Error).message) })
  }
}

/** Returns the answer for a function's own error, which is a 200 of the service. */
function failed ({ name, message }: Error, headers: Record<string, string>): Reply {
  return json({ errorType: name, errorMessage: message, trace: [] }, 200, { ...headers, 'x-amz-function-error': 'Unhandled' })
}

function parse (body: Buffer): unknown {
  try {
    return body.length === 0 ? {} : JSON.parse(body.toString())
  } catch {
    throw new Refusal('400', 'Could not parse request body into json', { code: 'InvalidRequestContentException' })
  }
}

function logs (call: Call, text: string): Record<string, string> {
  return header(call, 'x-amz-log-type') === 'Tail' ? { 'x-amz-log-result': Buffer.from(text).toString('base64') } : {}
}

function isType (type: string): type is keyof typeof mostBytes {
  return Object.hasOwn(mostBytes, type)
}
