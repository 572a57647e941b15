import Type from 'typebox'
import { registry, strict, type Kind } from '../base/schema.ts'
import { MetricsSchema } from './metrics.ts'
import { weighted } from './weighted.ts'

const common = {
  description: Type.Optional(Type.String()),
  metrics: Type.Optional(MetricsSchema)
}

function method (type: string, properties: Record<string, Parameters<typeof Type.Optional>[0]>): Kind {
  return { type, schema: strict({ method: Type.Literal(type), ...common, ...properties }) }
}

/** Experiment methods by name. None of them assigns variations yet: the first variation answers. */
export const experimentMethods = registry<Kind>(
  weighted,
  method('evidently', { project: Type.String({ minLength: 1 }), metrics: MetricsSchema }),
  method('appconfig', {
    application: Type.String({ minLength: 1 }),
    environment: Type.String({ minLength: 1 }),
    profile: Type.String({ minLength: 1 })
  })
)
