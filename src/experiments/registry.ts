import Type from 'typebox'
import { registry, strict, type Kind } from '../base/schema.ts'
import { commonProperties } from './common.ts'
import { MetricsSchema } from './metrics.ts'
import { weighted } from './weighted.ts'

function method (type: string, properties: Record<string, Parameters<typeof Type.Optional>[0]>): Kind {
  return { type, schema: strict({ method: Type.Literal(type), ...commonProperties, ...properties }) }
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
