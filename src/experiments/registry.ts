import Type from 'typebox'
import { registry, strict, type Registry } from '../base/schema.ts'
import { commonProperties } from './common.ts'
import { experimentMethod, type ExperimentMethod } from './experiment.ts'
import { interleave } from './interleave.ts'
import { MetricsSchema } from './metrics.ts'
import { openWeighted, weighted } from './weighted.ts'

const evidently = experimentMethod({
  type: 'evidently',
  schema: strict({ method: Type.Literal('evidently'), ...commonProperties, project: Type.String({ minLength: 1 }), metrics: MetricsSchema }),
  open: (_config, { namespace, recommender, feature, variations }) => openWeighted(new Map(variations.map(name => [name, 1])), { seed: `${namespace}/${recommender}/${feature}` })
})

const appconfig = experimentMethod({
  type: 'appconfig',
  schema: strict({ method: Type.Literal('appconfig'), ...commonProperties, application: Type.String({ minLength: 1 }), environment: Type.String({ minLength: 1 }), profile: Type.String({ minLength: 1 }) }),
  open: (_config, { namespace, recommender, feature, variations }) => openWeighted(new Map(variations.map(name => [name, 1])), { seed: `${namespace}/${recommender}/${feature}` })
})

/** Every method of assigning variations that a configuration may name, by its `method`. */
export const experimentMethods: Registry<ExperimentMethod> = registry<ExperimentMethod>(weighted, interleave, evidently, appconfig)
