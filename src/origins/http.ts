import Type from 'typebox'
import { headerProblems, HttpHeadersSchema } from '../base/http-headers.ts'
import { strict } from '../base/schema.ts'
import type { HttpAnswer } from './http-call.ts'
import type { HttpCall, HttpClient } from './http-client.ts'
import { mappingInput } from './mapping.ts'
import { requestMappingWarnings } from './mapping-warnings.ts'
import { originType, type OriginRequest } from './origin.ts'
import { failureOfStatus, OriginError } from './origin-error.ts'
import { checkMappings, compileMappings, mapAnswer, mappingKeys, problemOf } from './payload.ts'
import { mapRequest } from './request-mapping.ts'
import { compileUrlTemplate } from './url-template.ts'

/** The provider type for any HTTP service. It calls GET or POST with a URL from a template, and can map the request and the answer. */
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
  anyContext: true,
  filters: ({ url }) => compileUrlTemplate(url).placeholders.has('filter'),
  parameters: ({ url }) => compileUrlTemplate(url).parameters,
  check: config => [
    ...checkMappings(config),
    ...problemOf('url', () => compileUrlTemplate(config.url)),
    ...headerProblems(config.headers)
  ],
  async warn (config, place) {
    if (config.request !== undefined && config.method !== 'POST') return [{ key: 'request', message: 'has no effect without "method": "POST"' }]
    return requestMappingWarnings(config, place)
  },
  async open ({ url: template, method = 'GET', headers, ...config }, scope) {
    const ownNames = Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]))
    const { openHttpClient } = await import('./http-client.ts')
    const client = await scope.share('http', async () => openHttpClient(), async closing => closing.close())
    const { origin, path } = compileUrlTemplate(template)
    const sentHeaders = { accept: 'application/json', ...(method === 'POST' ? { 'content-type': 'application/json' } : {}), ...ownNames }
    const mappings = compileMappings(config)
    const body = async (request: OriginRequest): Promise<string> => {
      return mappings.request === undefined ? JSON.stringify(mappingInput(request)) : mapRequest('Http', mappings.request, request)
    }
    return {
      async recommend (request, signal) {
        const sent: HttpCall = { origin, path: path(request), method, headers: sentHeaders, body: method === 'GET' ? null : await body(request) }
        const { text, contentType } = await call(client, sent, signal)
        return mapAnswer('Http', mappings.response, request, text, contentType)
      }
    }
  }
})

async function call (client: HttpClient, sent: HttpCall, signal: AbortSignal): Promise<HttpAnswer> {
  try {
    const answer = await client.call(sent, signal)
    if (answer.status !== 200) throw new OriginError('Http', failureOfStatus(answer.status), { cause: new Error(`it answered ${answer.status}`) })
    return answer
  } catch (cause) {
    if (cause instanceof OriginError) throw cause
    if (signal.aborted) throw new OriginError('Http', 'timeout', { cause })
    throw new OriginError('Http', (cause as { code?: unknown }).code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE' ? 'invalid-answer' : 'unavailable', { cause })
  }
}
