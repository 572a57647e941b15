import { isExposed } from '../experiments/experiment.ts'
import type { ListIdentity, RecommendationIds } from '../experiments/recommendation-id.ts'
import type { OriginAnswer } from '../origins/origin.ts'
import type { Membership } from './assign.ts'
import type { InferenceRequest } from './request.ts'

/** The member of an answer that names the experiment that it is served under. */
export interface MatchedExperiment {
  readonly type: string
  readonly feature: string
  readonly details: Readonly<Record<string, unknown>>
}

/** Returns the experiment that a request takes part in; undefined for users outside of experiments, who are served, but do not count. */
export function matchedBy (membership: Membership | undefined, variation: string): MatchedExperiment | undefined {
  if (membership === undefined || !isExposed(membership.assignment)) return undefined
  const { experiment: { method, feature }, assignment: { details = { variation } } } = membership
  return { type: method, feature, details }
}

/** Returns what a recommendation id of a list stands for. @param feature the experiment; undefined outside of one */
export function identityOf ({ namespace, action, recommender, userId }: InferenceRequest, variation: string, feature: string | undefined): ListIdentity {
  return { namespace, action, recommender, feature, variation, userId }
}

/** Returns an answer with a recommendation id, which is the provider's where it gave one, and the experiment that it is served under. */
export function mark (answer: OriginAnswer, request: InferenceRequest, { variation, matched, ids }: { variation: string, matched: MatchedExperiment | undefined, ids: RecommendationIds | undefined }): OriginAnswer {
  const recommendationId = answer.recommendationId ?? ids?.issue(identityOf(request, variation, matched?.feature), itemsOf(request, answer))
  if (recommendationId === answer.recommendationId && matched === undefined) return answer
  return { ...answer, recommendationId, ...(matched === undefined ? {} : { more: { ...answer.more, matchedExperiment: matched } }) }
}

/** Returns the items of a list, or those that were rated. */
function itemsOf ({ itemIds = [] }: InferenceRequest, { items, ratings }: OriginAnswer): readonly string[] {
  return ratings === undefined ? items.map(({ itemId }) => itemId) : itemIds
}
