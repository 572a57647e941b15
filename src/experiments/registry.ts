import Type from 'typebox'
import { NameSchema, registry, strict, type Kind } from '../base/schema.ts'

const MetricsSchema = Type.Record(Type.String({ pattern: '^\\S{1,128}$' }), strict({
  trackExposures: Type.Optional(Type.Boolean()),
  entityIdKey: Type.String({ minLength: 1 }),
  valueKey: Type.String({ minLength: 1 })
}), { additionalProperties: false })

const common = {
  description: Type.Optional(Type.String()),
  metrics: Type.Optional(MetricsSchema)
}

function method (type: string, properties: Record<string, Parameters<typeof Type.Optional>[0]>): Kind {
  return { type, schema: strict({ method: Type.Literal(type), ...common, ...properties }) }
}

/** Experiment methods by name. None of them assigns variations yet: the first variation answers. */
export const experimentMethods = registry<Kind>(
  method('weighted', {
    seed: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
    weights: Type.Record(NameSchema, Type.Number({ minimum: 0 }), { additionalProperties: false, minProperties: 1 }),
    exposure: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
    overrides: Type.Optional(Type.Record(Type.String({ minLength: 1, maxLength: 256 }), NameSchema)),
    audience: Type.Optional(Type.Record(Type.String(), Type.Array(Type.String(), { minItems: 1 })))
  }),
  method('evidently', { project: Type.String({ minLength: 1 }), metrics: MetricsSchema }),
  method('appconfig', {
    application: Type.String({ minLength: 1 }),
    environment: Type.String({ minLength: 1 }),
    profile: Type.String({ minLength: 1 })
  })
)
