import Type from 'typebox'
import type { Provider } from '../base/errors.ts'
import { parseExactly } from '../base/exact-json.ts'
import { idsOf, inexactId, listNames, readAnswer } from './answer.ts'
import { InexactIdError, mapExactly } from './exact-mapping.ts'
import { compileMapping, type Mapping } from './mapping.ts'
import type { Action, OriginAnswer, OriginRequest } from './origin.ts'
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

/** Parses, maps and validates the body of an answer. @throws OriginError invalid-answer */
export async function mapAnswer (provider: Provider, mapping: Mapping | undefined, request: OriginRequest, body: string, contentType: string | undefined): Promise<OriginAnswer> {
  const answer = mapping === undefined ? parseBody(provider, body, contentType) : await evaluateResponse(provider, mapping, request, body, contentType)
  return readAnswer(provider, request.action, answer, request.itemIds?.length)
}

async function evaluateResponse (provider: Provider, mapping: Mapping, request: OriginRequest, body: string, contentType: string | undefined): Promise<unknown> {
  const map = async (input: unknown): Promise<unknown> => evaluate(provider, mapping, input, request)
  if (!isJson(contentType)) return map(body)
  try {
    return await mapExactly(body, map, answer => idsOf(request.action, answer))
  } catch (cause) {
    if (cause instanceof OriginError) throw cause
    throw cause instanceof InexactIdError ? inexactId(provider, cause.number) : new OriginError(provider, 'invalid-answer', { cause })
  }
}

async function evaluate (provider: Provider, mapping: Mapping, answer: unknown, request: OriginRequest): Promise<unknown> {
  try {
    return withList(request.action, await mapping(answer, request))
  } catch (error) {
    throw new OriginError(provider, 'invalid-answer', { cause: new Error(`the response mapping fails: ${(error as Error).message}`, { cause: error }) })
  }
}

/** JSONata makes the single member of a list out of a list of one: returns the answer with that list. */
function withList (action: Action, answer: unknown): unknown {
  if (typeof answer !== 'object' || answer === null) return answer
  const name = listNames[action]
  const value = (answer as Record<string, unknown>)[name]
  return value === undefined || Array.isArray(value) ? answer : { ...answer, [name]: [value] }
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
