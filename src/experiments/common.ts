import Type from 'typebox'
import { strict } from '../base/schema.ts'
import { MetricsSchema } from './metrics.ts'

/** The settings that experiments of each method have. */
export const commonProperties = {
  metrics: Type.Optional(MetricsSchema),
  attribution: Type.Optional(Type.Integer({ minimum: 60, maximum: 90 * 24 * 60 * 60, description: 'The time after the last exposure of a user, in seconds, within which what the user does counts. Default: 7 days.' })),
  exposureLog: Type.Optional(strict({
    userIds: Type.Optional(Type.Enum(['hashed', 'plain'], { description: 'How records of exposures name the user. Default: hashed.' })),
    impressions: Type.Optional(Type.Boolean({ description: 'Whether event trackers of Amazon Personalize get exposures as impressions.' }))
  }))
}
