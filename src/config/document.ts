import Type, { type Static } from 'typebox'
import { AutoContextSchema, FiltersSchema } from '../context/rules.ts'
import { functionArn } from '../origins/lambda.ts'
import { actions } from '../origins/origin.ts'
import { ResilienceSchema } from '../origins/resilience.ts'
import { RatesSchema } from '../limits/rates.ts'
import { FeatureSchema, NameSchema, strict } from '../base/schema.ts'
import { CacheControlSchema } from '../cache/cache-control.ts'

/** An element of one of several kinds. The schema of its kind validates its other keys (see validate.ts). */
const tagged = Type.Object({ type: Type.String() })

const text = Type.Optional(Type.String({ maxLength: 10_000 }))

/** Settings that a level inherits from the level above unless it defines them: root → namespace → recommender → variation. */
export const inherited = {
  cacheControl: Type.Optional(CacheControlSchema),
  autoContext: Type.Optional(AutoContextSchema),
  filters: Type.Optional(FiltersSchema),
  inferenceItemMetadata: Type.Optional(tagged),
  resilience: Type.Optional(ResilienceSchema),
  fallback: Type.Optional(Type.Array(NameSchema, { maxItems: 20 }))
}

export const InheritedSchema = strict(inherited)
export type Inherited = Static<typeof InheritedSchema>

const ResponsePostProcessorSchema = strict({
  type: Type.Enum(['lambda', 'function']),
  arn: functionArn,
  lookAheadMultiplier: Type.Optional(Type.Number({ minimum: 1, maximum: 500 })),
  lookAheadMaximumValue: Type.Optional(Type.Number({ minimum: 1 }))
})

const RecommenderSchema = strict({
  name: text,
  description: text,
  ...inherited,
  responsePostProcessor: Type.Optional(ResponsePostProcessorSchema),
  experiments: Type.Optional(Type.Record(FeatureSchema, Type.Object({ method: Type.String(), metrics: Type.Optional(Type.Object({})) }), { additionalProperties: false })),
  variations: Type.Optional(Type.Record(NameSchema, tagged, { additionalProperties: false }))
})

const RecommendersSchema = Type.Record(NameSchema, RecommenderSchema, { additionalProperties: false })

const NamespaceSchema = strict({
  name: text,
  description: text,
  ...inherited,
  rateLimit: Type.Optional(RatesSchema),
  recommenders: Type.Optional(strict(Object.fromEntries(actions.map(action => [action, Type.Optional(RecommendersSchema)])))),
  eventTargets: Type.Optional(Type.Array(tagged, { maxItems: 50 }))
})

/** The configuration document, except for the keys that depend on the kind of an element. */
export const DocumentSchema = strict({
  version: text,
  title: text,
  description: text,
  ...inherited,
  namespaces: Type.Record(NameSchema, NamespaceSchema, { additionalProperties: false })
})

export type Document = Static<typeof DocumentSchema>
export type NamespaceConfig = Static<typeof NamespaceSchema>
export type RecommenderConfig = Static<typeof RecommenderSchema>
export type Tagged = Static<typeof tagged>
