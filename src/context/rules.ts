import Type, { type Static } from 'typebox'
import { registry, strict, type Kind } from '../schema.ts'

const scalar = Type.Union([Type.String({ maxLength: 1000 }), Type.Number()])

const ValueMappingSchema = strict({
  operator: Type.Enum(['equals', 'less-than', 'greater-than', 'contains', 'starts-with', 'ends-with']),
  value: scalar,
  mapTo: scalar
})

const valueMappings = Type.Optional(Type.Array(ValueMappingSchema, { maxItems: 1000 }))

function timeRule (type: string): Kind {
  return { type, schema: strict({ type: Type.Literal(type), valueMappings }) }
}

/** Rules that derive a value from the request: what a header says, or the time where the user is. */
export const ruleTypes = registry<Kind>(
  {
    type: 'header-value',
    schema: strict({ type: Type.Literal('header-value'), header: Type.String({ pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$", maxLength: 128 }), valueMappings })
  },
  timeRule('hour-of-day'),
  timeRule('day-of-week'),
  { ...timeRule('season-of-year'), aliases: ['season'] }
)

/** A rule is checked by its type, apart. */
const AutoValueSchema = strict({
  type: Type.Enum(['string', 'integer', 'long', 'float']),
  description: Type.Optional(Type.String()),
  default: Type.Optional(scalar),
  evaluateAll: Type.Optional(Type.Boolean()),
  rules: Type.Array(Type.Object({ type: Type.String() }), { maxItems: 100 })
})

export const AutoContextSchema = Type.Record(Type.String({ pattern: '^[a-zA-Z0-9_]{1,150}$' }), AutoValueSchema, { additionalProperties: false })
export const AutoFilterValuesSchema = Type.Record(Type.String({ pattern: '^[a-zA-Z0-9_-]{1,50}$' }), AutoValueSchema, { additionalProperties: false })

export const FiltersSchema = Type.Array(strict({
  arn: Type.String({ pattern: '^arn:[\\w-]+:personalize:[a-z0-9-]+:\\d{12}:filter/[a-zA-Z0-9_-]+$' }),
  condition: Type.Optional(Type.Enum(['user-required'])),
  autoDynamicFilterValues: Type.Optional(AutoFilterValuesSchema)
}), { maxItems: 100 })

export type AutoContext = Static<typeof AutoContextSchema>
export type Filters = Static<typeof FiltersSchema>
