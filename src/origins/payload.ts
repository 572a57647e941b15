import Type from 'typebox'
import type { Provider } from '../base/errors.ts'
import { parseExactly } from '../base/exact-json.ts'
import { idsOf, inexactId, readAnswer } from './answer.ts'
import { InexactIdError, mapExactly } from './exact-mapping.ts'
import { compileMapping, mappingInput, type Mapping } from './mapping.ts'
import type { OriginAnswer, OriginRequest } from './origin.ts'
import { OriginError } from './origin-error.ts'

const expression = Type.Optional(Type.String({ minLength: 1, maxLength: 20_000 }))

/** The configuration keys of the mappings of requests and answers, for providers that have them. */
export const mappingKeys = { request: expression, response: expression }

interface MappedConfig {
  request?: string
  response?: string
}

/** Returns the mistakes in the mappings, with the position of each. */
export function checkMappings (config: MappedConfig): Array<{ key: string, message: string }> {
  return [...mappingsOf(config)].flatMap(([key, source]) => problemOf(key, () => compileMapping(source)))
}

/** Returns the error of `compile` as a mistake under a key, or an empty list if it succeeds. */
export function problemOf (key: string, compile: () => unknown): Array<{ key: string, message: string }> {
  try {
    compile()
    return []
  } catch (error) {
    return [{ key, message: (error as Error).message }]
  }
}

export function compileMappings (config: MappedConfig): { request?: Mapping, response?: Mapping } {
  return Object.fromEntries([...mappingsOf(config)].map(([key, source]) => [key, compileMapping(source)]))
}

function mappingsOf ({ request, response }: MappedConfig): Map<string, string> {
  return new Map(Object.entries({ request, response }).filter((entry): entry is [string, string] => entry[1] !== undefined))
}

/** Returns the mapped body of a request: text as it is, any other value as JSON. @throws OriginError refused if it cannot map it */
export async function mapRequest (provider: Provider, mapping: Mapping, request: OriginRequest): Promise<string> {
  const mapped = await evaluate(provider, 'refused', mapping, mappingInput(request), request)
  if (mapped === undefined) throw new OriginError(provider, 'refused', { cause: new Error('the request mapping makes nothing of this request') })
  return typeof mapped === 'string' ? mapped : JSON.stringify(mapped)
}

/** Parses, maps and validates the body of an answer. @throws OriginError invalid-answer */
export async function mapAnswer (provider: Provider, mapping: Mapping | undefined, request: OriginRequest, body: string, contentType: string | undefined): Promise<OriginAnswer> {
  const answer = mapping === undefined ? parseBody(provider, body, contentType) : await evaluateResponse(provider, mapping, request, body, contentType)
  return readAnswer(provider, request.action, answer, request.itemIds?.length)
}

async function evaluateResponse (provider: Provider, mapping: Mapping, request: OriginRequest, body: string, contentType: string | undefined): Promise<unknown> {
  const map = async (input: unknown): Promise<unknown> => evaluate(provider, 'invalid-answer', mapping, input, request)
  if (!isJson(contentType)) return map(body)
  try {
    return await mapExactly(body, map, answer => idsOf(request.action, answer))
  } catch (cause) {
    if (cause instanceof OriginError) throw cause
    throw cause instanceof InexactIdError ? inexactId(provider, cause.number) : new OriginError(provider, 'invalid-answer', { cause })
  }
}

async function evaluate (provider: Provider, failure: 'refused' | 'invalid-answer', mapping: Mapping, input: unknown, request: OriginRequest): Promise<unknown> {
  try {
    return await mapping(input, request)
  } catch (cause) {
    throw new OriginError(provider, failure, { cause })
  }
}

function isJson (contentType = 'application/json'): boolean {
  return contentType.startsWith('application/json') || /json/i.test(contentType)
}

/** Parses a body as JSON. If its content type is not JSON, it returns the text. */
function parseBody (provider: Provider, body: string, contentType: string | undefined): unknown {
  if (!isJson(contentType)) return body
  try {
    return parseExactly(body)
  } catch (cause) {
    throw new OriginError(provider, 'invalid-answer', { cause })
  }
}
