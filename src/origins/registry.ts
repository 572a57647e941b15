import { registry } from '../base/schema.ts'
import { embedded } from './embedded.ts'
import { http } from './http.ts'
import { lambda } from './lambda.ts'
import type { OriginType } from './origin.ts'
import { personalizeCampaign } from './personalize-campaign.ts'
import { personalizeRecommender } from './personalize-recommender.ts'
import { sagemaker } from './sagemaker.ts'

/** All provider types, by the `type` of their variations. */
export const originTypes = registry<OriginType>(
  embedded,
  personalizeCampaign,
  personalizeRecommender,
  sagemaker,
  lambda,
  http
)
