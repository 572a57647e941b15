import Type, { type Static } from 'typebox'
import { GatewayError, type ErrorCode } from '../base/errors.ts'
import type { Action } from '../origins/origin.ts'
import { BodyIdSchema, FeatureSchema, hasAtMost, IdSchema, isId } from '../base/schema.ts'
import { sortedMap, type StringMap } from '../base/string-map.ts'
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
  code: ErrorCode
}

/** The most characters of a key. */
const longestKey = 150

/** The parameters that are JSON objects of strings. */
const maps = {
  filterValues: { keys: 25, length: 1000, code: 'InvalidFilterParameter' },
  context: { keys: 150, length: 1000, code: 'InvalidContextParameter' }
} as const satisfies Record<string, MapLimits>

/** Returns the schema of a JSON object of strings in the query. */
function stringMap ({ keys, length }: MapLimits, description: string, example?: StringMap): ReturnType<typeof Type.Unsafe<StringMap>> {
  return Type.Unsafe<StringMap>({
    type: 'object',
    maxProperties: keys,
    propertyNames: { type: 'string', minLength: 1, maxLength: longestKey },
    additionalProperties: { type: 'string', maxLength: length },
    // In the OpenAPI document, the parameter has a content of this type in place of a schema.
    'x-consume': 'application/json',
    description: `${description} The whole URL has at most 8,192 characters.`,
    ...(example === undefined ? {} : { examples: [example] })
  })
}

/** The query parameters that all inference actions share. */
export const CommonQuerySchema = Type.Object({
  filter: Type.Optional(Type.String({ minLength: 1, maxLength: 256, description: 'Name or ARN of a filter, in place of the configured one.' })),
  filterValues: Type.Optional(stringMap(maps.filterValues, 'Values for the filter\'s placeholders: a JSON object of strings, such as `{"CATEGORY":"\\"shoes\\""}`.')),
  context: Type.Optional(stringMap(maps.context, 'Context of the request: a JSON object of strings.', { deviceType: 'phone' })),
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
export function readRequest (action: Action, { namespace, recommender, userId, itemId, itemIds }: Subject, numResults = defaultResults, query: CommonQuery = {}): InferenceRequest {
  return {
    action,
    namespace,
    recommender,
    userId,
    itemId,
    itemIds,
    numResults,
    filter: query.filter,
    filterValues: query.filterValues,
    context: query.context,
    decorateItems: readFlag(query.decorateItems, action !== 'predicted-ratings'),
    syntheticUser: readFlag(query.syntheticUser, false),
    feature: query.feature
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

/**
 * Returns the map in the JSON text of a parameter, sorted by key; undefined for an empty one. So the provider gets the same for requests
 * that share a cache entry.
 * @throws GatewayError 400 naming the parameter
 */
export function readStringMap (name: string, text: string): StringMap | undefined {
  const limits: MapLimits = maps[name as keyof typeof maps]
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
  const wrong = entries.find(([key, value]) => key === '' || !hasAtMost(key, longestKey) || typeof value !== 'string' || !hasAtMost(value, limits.length))
  if (wrong) throw refuse(`keys of 1 to ${longestKey} and string values of at most ${limits.length} characters; "${wrong[0].slice(0, 150)}" is not`)
  return sortedMap(map as StringMap)
}
