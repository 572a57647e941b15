import type { RecommenderElement } from '../config/elements.ts'
import { variationsOf } from '../config/elements.ts'
import { experimentIdOf, type ExperimentScope } from '../experiments/experiment.ts'
import { experimentMethods } from '../experiments/registry.ts'
import { defaultAttribution } from '../experiments/tally/store.ts'
import type { commonProperties } from '../experiments/common.ts'
import type { Static, TObject } from 'typebox'
import type { ExperimentPlan } from './plan.ts'

type Common = Static<TObject<typeof commonProperties>>

/** Opens the experiments of a recommender, in the order of the document. @throws UserError if one cannot be opened */
export async function openExperiments (recommender: RecommenderElement, scope: ExperimentScope): Promise<Map<string, ExperimentPlan>> {
  const { namespace, action, name, value } = recommender
  const variations = variationsOf(recommender).map(({ name }) => name)
  const opened = new Map<string, ExperimentPlan>()
  for (const [feature, config] of Object.entries(value.experiments ?? {})) {
    const { metrics, attribution = defaultAttribution, exposureLog = {} } = config as Common
    opened.set(feature, {
      id: experimentIdOf({ namespace, action, recommender: name, feature }),
      namespace,
      action,
      recommender: name,
      feature,
      method: config.method,
      variations,
      metrics,
      attribution: attribution * 1000,
      userIds: exposureLog.userIds ?? 'hashed',
      impressions: exposureLog.impressions ?? false,
      experiment: await experimentMethods.get(config.method)!.open(config, { namespace, action, recommender: name, feature, variations }, scope)
    })
  }
  return opened
}
