import type { Provider } from '../base/errors.ts'
import { mappingInput, type Mapping } from './mapping.ts'
import type { OriginRequest } from './origin.ts'
import { OriginError } from './origin-error.ts'
import { idStyles, sampleRequest } from './sample-requests.ts'

/** The parameters that a request mapping sees, for messages to the caller. */
const parameters = { 'recommend-items': 'userId', 'related-items': 'itemId, userId', 'rerank-items': 'userId, itemIds', 'predicted-ratings': 'userId, items' } as const

/** Whether a mapping takes any request at all, found out when it first fails. */
const knownToWork = new WeakMap<Mapping, Promise<boolean>>()

/**
 * Returns the mapped body of a request: text as it is, any other value as JSON.
 * @throws OriginError bad-request if the mapping does not take the values of this request, refused if it takes no request
 */
export async function mapRequest (provider: Provider, mapping: Mapping, request: OriginRequest): Promise<string> {
  try {
    return await bodyOf(mapping, request)
  } catch (cause) {
    const { message } = cause as Error
    const which = `the request mapping of ${request.action}/${request.recommender}`
    if (!await worksAtAll(mapping, request)) throw new OriginError(provider, 'refused', { cause, code: 'MappingFailed', message: `${which} fails for all requests; the log has the reason` })
    throw new OriginError(provider, 'bad-request', { cause, code: 'InvalidParameter', message: `${parameters[request.action]}, context: ${which} does not take these values: ${message}` })
  }
}

/** Returns what a mapping makes of a request. @throws Error with the reason if that is nothing */
export async function evaluateRequest (mapping: Mapping, request: OriginRequest): Promise<unknown> {
  const mapped = await mapping(mappingInput(request), request)
  if (mapped === undefined) throw new Error('the mapping makes nothing of this request')
  return mapped
}

async function bodyOf (mapping: Mapping, request: OriginRequest): Promise<string> {
  const mapped = await evaluateRequest(mapping, request)
  return typeof mapped === 'string' ? mapped : JSON.stringify(mapped)
}

async function worksAtAll (mapping: Mapping, request: OriginRequest): Promise<boolean> {
  let works = knownToWork.get(mapping)
  if (works === undefined) knownToWork.set(mapping, works = Promise.any(idStyles.map(async style => evaluateRequest(mapping, sampleRequest(request, style, 3)))).then(() => true, () => false))
  return works
}
