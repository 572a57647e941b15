import Type, { type Static } from 'typebox'
import { GatewayError, type ErrorCode } from '../base/errors.ts'
import type { Action } from '../origins/origin.ts'
import { FeatureSchema, IdSchema, isId } from '../base/schema.ts'
import type { InferenceRequest } from './request.ts'

/** Any text is valid: a name that no configuration has is answered with 404, not with 400. */
const segment = Type.String({ minLength: 1, maxLength: 256 })

export const RecommenderParamsSchema = Type.Object({ namespace: segment, recommender: segment })

export const UserParamsSchema = Type.Object({ ...RecommenderParamsSchema.properties, userId: IdSchema })

/** The most items that one request can reorder or rate. */
export const mostItems = 500

export const ItemIdsSchema = Type.Array(IdSchema, { minItems: 1, maxItems: mostItems, examples: [['item-1', 'item-2', 'item-3']] })

const flag = (description: string): ReturnType<typeof Type.String> =>
  Type.String({ description: `${description} \`1\`, \`yes\` and \`true\` mean true, in any case; anything else means false.` })

/** The query parameters that all inference actions share. */
export const CommonQuerySchema = Type.Object({
  filter: Type.Optional(Type.String({ minLength: 1, maxLength: 256, description: 'Name or ARN of a filter, in place of the configured one.' })),
  filterValues: Type.Optional(Type.String({ maxLength: 8192, description: 'Values for the filter\'s placeholders: a JSON object of strings.', examples: ['{"CATEGORY":"\\"shoes\\""}'] })),
  context: Type.Optional(Type.String({ maxLength: 8192, description: 'Context of the request: a JSON object of strings. Functions, models and HTTP services take any values.', examples: ['{"deviceType":"phone"}'] })),
  decorateItems: Type.Optional(flag('Whether items carry their metadata; the default is true.')),
  syntheticUser: Type.Optional(flag('Whether the user stands for a group of users.')),
  feature: Type.Optional(FeatureSchema)
})

export const ListQuerySchema = Type.Object({
  numResults: Type.Integer({ minimum: 1, maximum: 500, default: 25, description: 'How many items to answer at most.' }),
  ...CommonQuerySchema.properties
})

type CommonQuery = Static<typeof CommonQuerySchema>

/** The names and ids in the path, or in the body, of a request. */
interface Subject {
  namespace: string
  recommender: string
  userId?: string | undefined
  itemId?: string | undefined
  itemIds?: readonly string[] | undefined
}

/**
 * Returns the inference request, and parses the parameters that the schema leaves as text. Every request has all members, in one
 * order, so that the code that reads them sees one shape of object and is faster.
 * @throws GatewayError 400 naming the parameter
 */
export function readRequest (action: Action, { namespace, recommender, userId, itemId, itemIds: given }: Subject, numResults: number, query: CommonQuery): InferenceRequest {
  // Each item of a list to rerank is answered once. Ratings are answered for every entry of a list.
  const reranked = action === 'rerank-items' && given !== undefined ? [...new Set(given)] : undefined
  const itemIds = reranked ?? given
  return {
    action,
    namespace,
    recommender,
    userId,
    itemId,
    itemIds,
    numResults: reranked?.length ?? numResults,
    filter: query.filter,
    filterValues: readStringMap('filterValues', query.filterValues, { keys: 25, length: 1000, code: 'InvalidFilterParameter' }),
    context: readContext(query.context),
    decorateItems: readFlag(query.decorateItems, action !== 'predicted-ratings'),
    syntheticUser: readFlag(query.syntheticUser, false),
    feature: query.feature,
    query
  }
}

/** Splits a comma-separated list of item ids. @throws GatewayError 400 naming the parameter */
export function readItemIds (name: string, list: string): string[] {
  const itemIds = list.split(',')
  if (itemIds.length > mostItems) throw new GatewayError('InvalidParameter', `${name}: expected at most ${mostItems} item ids, got ${itemIds.length}`)
  const wrong = itemIds.findIndex(itemId => !isId(itemId))
  if (wrong >= 0) throw new GatewayError('InvalidParameter', `${name}: item id ${wrong + 1} is ${itemIds[wrong] === '' ? 'empty' : 'too long'}; expected 1 to 256 characters`)
  return itemIds
}

function readFlag (text: string | undefined, absent: boolean): boolean {
  return text === undefined ? absent : ['1', 'yes', 'true'].includes(text.toLowerCase())
}

interface MapLimits {
  keys: number
  length: number
  code: ErrorCode
}

const contextLimits: MapLimits = { keys: 150, length: 1000, code: 'InvalidContextParameter' }

/** Returns the context. Whether its values have to be text depends on the variation that answers. */
function readContext (text: string | undefined): Record<string, unknown> | undefined {
  const fits = (value: unknown): boolean => (typeof value === 'string' ? value : JSON.stringify(value)).length <= contextLimits.length && !hasRounded(value)
  return readMap('context', text, contextLimits, `JSON values of at most ${contextLimits.length} characters, whose integers are below 2^53`, fits)
}

/** Returns whether a parsed value has a number whose digits may not be those that were sent. */
function hasRounded (value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.values(value).some(hasRounded)
  return typeof value === 'number' && (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value)))
}

function readStringMap (name: string, text: string | undefined, limits: MapLimits): Record<string, string> | undefined {
  const fits = (value: unknown): boolean => typeof value === 'string' && value.length <= limits.length
  return readMap(name, text, limits, `string values of at most ${limits.length} characters`, fits) as Record<string, string> | undefined
}

function readMap (name: string, text: string | undefined, limits: MapLimits, expected: string, fits: (value: unknown) => boolean): Record<string, unknown> | undefined {
  if (text === undefined || text === '') return undefined
  const refuse = (expected: string, cause?: unknown): GatewayError => new GatewayError(limits.code, `${name}: expected ${expected}`, { cause })
  let map: unknown
  try {
    map = JSON.parse(text)
  } catch (cause) {
    throw refuse('a JSON object of strings; this is not JSON', cause)
  }
  if (typeof map !== 'object' || map === null || Array.isArray(map)) throw refuse('a JSON object of strings')
  const entries = Object.entries(map)
  if (entries.length > limits.keys) throw refuse(`at most ${limits.keys} keys, got ${entries.length}`)
  const wrong = entries.find(([key, value]) => key === '' || key.length > 150 || !fits(value))
  if (wrong) throw refuse(`keys of 1 to 150 characters and ${expected}; "${wrong[0].slice(0, 150)}" is not`)
  return Object.fromEntries(entries)
}
