import Type from 'typebox'
import type { Agent, Dispatcher, errors } from 'undici'
import { headerProblems, HttpHeadersSchema } from '../base/http-headers.ts'
import { strict } from '../base/schema.ts'
import { callHttp, type HttpAnswer } from './http-call.ts'
import { mappingInput } from './mapping.ts'
import { originType, type OriginRequest } from './origin.ts'
import { failureOfStatus, OriginError } from './origin-error.ts'
import { checkMappings, compileMappings, mapAnswer, mappingKeys, mapRequest, problemOf } from './payload.ts'
import { compileUrlTemplate } from './url-template.ts'

/** More connections than an origin's bulkhead, so that a connection is never what a call waits for; answers of at most 4 MiB. */
const agentOptions = { connections: 1024, connectTimeout: 3_000, keepAliveTimeout: 30_000, maxResponseSize: 4 * 1024 * 1024 }

/** Any HTTP service: GET or POST to a URL made from a template, its answer taken as it is or mapped. */
export const http = originType({
  type: 'http',
  schema: strict({
    type: Type.Literal('http'),
    url: Type.String({ minLength: 1, maxLength: 2048 }),
    method: Type.Optional(Type.Enum(['GET', 'POST'])),
    headers: Type.Optional(HttpHeadersSchema),
    ...mappingKeys
  }),
  actions: ['recommend-items', 'related-items', 'rerank-items', 'predicted-ratings'],
  provider: 'Http',
  check: config => [
    ...checkMappings(config),
    ...problemOf('url', () => compileUrlTemplate(config.url)),
    ...headerProblems(config.headers)
  ],
  async open ({ url: template, method = 'GET', headers, ...config }, scope) {
    const ownNames = Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]))
    const { Agent, errors } = await import('undici')
    const agent = await scope.share('http', async () => new Agent(agentOptions), async closing => closing.destroy())
    const { origin, path } = compileUrlTemplate(template)
    const sentHeaders = { accept: 'application/json', ...(method === 'POST' ? { 'content-type': 'application/json' } : {}), ...ownNames }
    const mappings = compileMappings(config)
    const body = async (request: OriginRequest): Promise<string> => {
      return mappings.request === undefined ? JSON.stringify(mappingInput(request)) : mapRequest('Http', mappings.request, request)
    }
    return {
      async recommend (request, signal) {
        const options = { origin, path: path(request), method, headers: sentHeaders, body: method === 'GET' ? null : await body(request) }
        const { text, contentType } = await call(agent, options, signal, errors.ResponseExceededMaxSizeError)
        return mapAnswer('Http', mappings.response, request, text, contentType)
      }
    }
  }
})

async function call (agent: Agent, options: Dispatcher.DispatchOptions, signal: AbortSignal, TooLarge: typeof errors.ResponseExceededMaxSizeError): Promise<HttpAnswer> {
  try {
    const answer = await callHttp(agent, options, signal)
    if (answer.status !== 200) throw new OriginError('Http', failureOfStatus(answer.status), { cause: new Error(`it answered ${answer.status}`) })
    return answer
  } catch (cause) {
    if (cause instanceof OriginError) throw cause
    if (signal.aborted) throw new OriginError('Http', 'timeout', { cause })
    throw new OriginError('Http', cause instanceof TooLarge ? 'invalid-answer' : 'unavailable', { cause })
  }
}
