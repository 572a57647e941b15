import Type, { type Static } from 'typebox'
import { strict } from '../base/schema.ts'
import { scalar } from './value-mapping.ts'

export const valueTypes = ['string', 'integer', 'long', 'float'] as const
export type ValueType = typeof valueTypes[number]

/** Rules are validated separately, by the schema of their type. */
const AutoValueSchema = strict({
  type: Type.Enum(valueTypes),
  description: Type.Optional(Type.String()),
  default: Type.Optional(scalar),
  evaluateAll: Type.Optional(Type.Boolean()),
  rules: Type.Array(Type.Object({ type: Type.String() }), { maxItems: 100 })
})

export const AutoContextSchema = Type.Record(Type.String({ pattern: '^[a-zA-Z0-9_]{1,150}$' }), AutoValueSchema, { additionalProperties: false, maxProperties: 150 })
export const AutoFilterValuesSchema = Type.Record(Type.String({ pattern: '^[a-zA-Z0-9_-]{1,50}$' }), AutoValueSchema, { additionalProperties: false, maxProperties: 25 })

export const FiltersSchema = Type.Array(strict({
  arn: Type.String({ pattern: '^arn:[\\w-]+:personalize:[a-z0-9-]+:\\d{12}:filter/[a-zA-Z0-9_-]+$' }),
  condition: Type.Optional(Type.Enum(['user-required'])),
  autoDynamicFilterValues: Type.Optional(AutoFilterValuesSchema)
}), { maxItems: 100 })

/** Values that are derived from each request, by field. */
export type AutoValuesConfig = Static<typeof AutoContextSchema>
export type FiltersConfig = Static<typeof FiltersSchema>
