import Type from 'typebox'
import { Compile } from 'typebox/compile'
import { header, json, parsed, type Call, type Reply } from '../call.ts'
import { restFaults, restJson } from '../protocol.ts'
import { Refusal, type ErrorShape } from '../refusal.ts'
import { answerPayload } from '../payload.ts'
import type { Scope } from '../scope.ts'
import type { Service } from '../service.ts'

const Entity = Type.Tuple([Type.Union([Type.String({ minLength: 1 }), Type.Number()])])

/** The payload of Object2Vec: pairs to score. */
const pairs = Compile(Type.Object({ instances: Type.Array(Type.Object({ in0: Entity, in1: Entity }), { minItems: 1 }) }))

const mostBytes = 6 * 1024 * 1024
const protocol = restJson('Message')

/** Opens the runtime of Amazon SageMaker. An endpoint of any name exists: it runs its handler, or else a model for both kinds of payload. */
export function sagemakerRuntime (scope: Scope): Service {
  function predict (endpoint: string, payload: unknown): unknown {
    const own = scope.endpoints[endpoint]
    if (own !== undefined) return own(payload)
    if (!pairs.Check(payload)) return answerPayload(payload, scope)
    return { predictions: payload.instances.map(({ in0: [user], in1: [item] }) => ({ scores: [rate(String(user), String(item), scope)] })) }
  }

  return {
    name: 'sagemaker-runtime',
    protocol,
    faults: {
      ...restFaults,
      400: { code: 'ValidationError', status: 400 },
      404: { code: 'ValidationError', status: 400 },
      // SageMaker's list of common errors has status 400 for throttling, not 429.
      429: { code: 'ThrottlingException', status: 400 },
      500: { code: 'InternalFailure', status: 500 },
      503: { code: 'ServiceUnavailable', status: 503 }
    },
    operations: { 'POST /endpoints/:endpoint/invocations': { answer: call => invoke(call, predict) } },
    failures: { 'model-error': protocol.error(modelError(500, 'the model crashed'), modelMessage(500, 'the model crashed')) }
  }
}

function invoke (call: Call, predict: (endpoint: string, payload: unknown) => unknown): Reply {
  const endpoint = call.params['endpoint']!
  if (!/^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$/.test(endpoint)) throw new Refusal('400', `endpointName ${endpoint} is not a name`)
  if (call.body.length === 0 || call.body.length > mostBytes) throw new Refusal('400', `Body must have from 1 to ${mostBytes} bytes`)
  const variant = header(call, 'x-amzn-sagemaker-target-variant') ?? 'AllTraffic'
  try {
    return json(predict(endpoint, parsed(call.body)), 200, { 'content-type': 'application/json', 'x-amzn-invoked-production-variant': variant })
  } catch (error) {
    const { message } = error as Error
    throw new Refusal('400', modelMessage(400, message), modelError(400, message))
  }
}

/** Returns a rating from 1 to 5. An unknown pair gets 1. */
function rate (userId: string, itemId: string, { model }: Scope): number {
  const { score } = model.rerank([itemId], userId)[0]!
  return 1 + 4 * score / (1 + score)
}

function modelError (status: number, message: string): ErrorShape {
  const logs = 'arn:aws:logs:us-east-1:123456789012:log-group:/aws/sagemaker/Endpoints/local'
  return { code: 'ModelError', status: 424, more: { OriginalStatusCode: status, OriginalMessage: message, LogStreamArn: logs } }
}

function modelMessage (status: number, message: string): string {
  return `Received ${status < 500 ? 'client' : 'server'} error (${status}) from primary with message "${message}".`
}
