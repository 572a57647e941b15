import Type, { type Static } from 'typebox'
import { GatewayError, type ErrorCode } from '../base/errors.ts'
import type { Action } from '../origins/origin.ts'
import { BodyIdSchema, FeatureSchema, hasAtMost, IdSchema, isId } from '../base/schema.ts'
import { sortedByKey } from '../base/sorted.ts'
import type { InferenceRequest } from './request.ts'

/** Any text is valid: a name that no configuration has is answered with 404, not with 400. */
const segment = Type.String({ minLength: 1, maxLength: 256 })

export const RecommenderParamsSchema = Type.Object({ namespace: segment, recommender: segment })

export const UserParamsSchema = Type.Object({ ...RecommenderParamsSchema.properties, userId: IdSchema })

/** The most items that one request can reorder or rate. */
export const mostItems = 500

/** The items of a request's body. */
export const ItemIdsSchema = Type.Array(BodyIdSchema, { minItems: 1, maxItems: mostItems, examples: [['item-1', 'item-2', 'item-3']] })

/** The items of a list in the URL. */
export const ListedItemIdsSchema = Type.Array(IdSchema, {
  minItems: 1,
  maxItems: mostItems,
  description: 'Item ids, separated by commas. A comma that belongs to an id is encoded as `%2C`. The whole URL has at most 8,192 characters.'
})

const flag = (description: string): ReturnType<typeof Type.String> =>
  Type.String({ maxLength: 256, description: `${description} \`1\`, \`yes\` and \`true\` mean true, in any case; anything else means false.` })

interface MapLimits {
  keys: number
  /** The most characters of a value. */
  length: number
  /** `json`: whether other values than text are taken depends on the variation that answers. */
  values: 'text' | 'json'
  code: ErrorCode
}

/** The most characters of a key. */
const longestKey = 150

/** The parameters that are JSON objects of strings. */
const maps = {
  filterValues: { keys: 25, length: 1000, values: 'text', code: 'InvalidFilterParameter' },
  context: { keys: 150, length: 1000, values: 'json', code: 'InvalidContextParameter' }
} as const satisfies Record<string, MapLimits>

/** Returns the schema of a JSON object in the query. */
function jsonMap<V extends MapLimits['values']> ({ keys, length, values }: MapLimits & { values: V }, description: string, example?: Record<string, string>): ReturnType<typeof Type.Unsafe<Readonly<Record<string, V extends 'text' ? string : unknown>>>> {
  return Type.Unsafe({
    type: 'object',
    maxProperties: keys,
    propertyNames: { type: 'string', minLength: 1, maxLength: longestKey },
    additionalProperties: values === 'text' ? { type: 'string', maxLength: length } : {},
    // In the OpenAPI document, the parameter has a content of this type in place of a schema.
    'x-consume': 'application/json',
    description: `${description} The whole URL has at most 8,192 characters.`,
    ...(example === undefined ? {} : { examples: [example] })
  })
}

function expectedValues ({ values, length }: MapLimits): string {
  return values === 'text' ? `string values of at most ${length} characters` : `JSON values of at most ${length} characters, whose integers are below 2^53`
}

/** The query parameters that all inference actions share. */
export const CommonQuerySchema = Type.Object({
  filter: Type.Optional(Type.String({ minLength: 1, maxLength: 256, description: 'Name or ARN of a filter, in place of the configured one.' })),
  filterValues: Type.Optional(jsonMap(maps.filterValues, 'Values for the filter\'s placeholders: a JSON object of strings, such as `{"CATEGORY":"\\"shoes\\""}`.')),
  context: Type.Optional(jsonMap(maps.context, 'Context of the request: a JSON object of strings. Functions, models and HTTP services take any values.', { deviceType: 'phone' })),
  decorateItems: Type.Optional(flag('Whether items carry their metadata; the default is true.')),
  syntheticUser: Type.Optional(flag('Whether the user stands for a group of users.')),
  feature: Type.Optional(FeatureSchema)
})

const defaultResults = 25

export const ListQuerySchema = Type.Object({
  numResults: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, default: defaultResults, description: 'How many items to answer at most.' })),
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
 * Returns the inference request. Every request has all members, in one order, so that the code that reads them sees one shape of object
 * and is faster.
 */
export function readRequest (action: Action, { namespace, recommender, userId, itemId, itemIds: given }: Subject, numResults = defaultResults, query: CommonQuery = {}): InferenceRequest {
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
    filterValues: query.filterValues,
    context: query.context,
    decorateItems: readFlag(query.decorateItems, action !== 'predicted-ratings'),
    syntheticUser: readFlag(query.syntheticUser, false),
    feature: query.feature,
    query
  }
}

/**
 * Returns the item ids of a list in the URL. The separators are the commas of the raw text; an encoded comma belongs to an id.
 * @param decode decodes one id
 * @throws GatewayError 400 naming the parameter
 */
export function readItemIds (name: string, list: string, decode: (raw: string) => string): string[] {
  const itemIds = list.split(',', mostItems + 1).map(decode)
  if (itemIds.length > mostItems) throw new GatewayError('InvalidParameter', `${name}: expected at most ${mostItems} item ids, got ${list.split(',').length}`)
  const wrong = itemIds.findIndex(itemId => !isId(itemId))
  if (wrong >= 0) throw new GatewayError('InvalidParameter', `${name}: item id ${wrong + 1} is ${itemIds[wrong] === '' ? 'empty' : 'too long'}; expected 1 to 256 characters`)
  return itemIds
}

function readFlag (text: string | undefined, absent: boolean): boolean {
  return text === undefined ? absent : ['1', 'yes', 'true'].includes(text.toLowerCase())
}

/** Returns whether a parsed value has a number whose digits may not be those that were sent. */
function hasRounded (value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.values(value).some(hasRounded)
  return typeof value === 'number' && (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value)))
}

function fits (value: unknown, { length, values }: MapLimits): boolean {
  if (typeof value === 'string') return hasAtMost(value, length)
  return values === 'json' && JSON.stringify(value).length <= length && !hasRounded(value)
}

/**
 * Returns the map in the JSON text of a parameter, with all keys sorted; undefined for an empty one. So the provider gets the same for
 * requests that share a cache entry.
 * @throws GatewayError 400 naming the parameter
 */
export function readMap (name: string, text: string): Readonly<Record<string, unknown>> | undefined {
  const limits: MapLimits = maps[name as keyof typeof maps]
  const refuse = (expected: string, cause?: unknown): GatewayError => new GatewayError(limits.code, `${name}: expected ${expected}`, { cause })
  let map: unknown
  try {
    map = JSON.parse(text)
  } catch (cause) {
    throw refuse(`a JSON object${limits.values === 'text' ? ' of strings' : ''}; this is not JSON`, cause)
  }
  if (typeof map !== 'object' || map === null || Array.isArray(map)) throw refuse(`a JSON object${limits.values === 'text' ? ' of strings' : ''}`)
  const entries = Object.entries(map)
  if (entries.length > limits.keys) throw refuse(`at most ${limits.keys} keys, got ${entries.length}`)
  const wrong = entries.find(([key, value]) => key === '' || !hasAtMost(key, longestKey) || !fits(value, limits))
  if (wrong) throw refuse(`keys of 1 to ${longestKey} characters and ${expectedValues(limits)}; "${wrong[0].slice(0, 150)}" is not`)
  return entries.length === 0 ? undefined : sortedByKey(map) as Record<string, unknown>
}
