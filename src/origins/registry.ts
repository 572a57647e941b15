import { registry } from '../schema.ts'
import { embedded } from './embedded.ts'
import { type OriginType } from './origin.ts'

/** Every provider there is, by the `type` of its variations. */
export const originTypes = registry<OriginType>(
  embedded
)

/** Providers that a configuration may name but that this build does not have. */
export const plannedOriginTypes: readonly string[] = ['personalize-campaign', 'personalize-recommender', 'sagemaker', 'lambda', 'http']
