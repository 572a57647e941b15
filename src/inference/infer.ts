import type { Cache, Found, Lookup } from '../cache/cache.ts'
import type { UserKind } from '../cache/cache-control.ts'
import { noCache } from '../cache/policy.ts'
import { namespaceOf, recommenderKey, type Plan, type RecommenderPlan, type VariationPlan } from '../plan/plan.ts'
import { resolve, type ContextRules } from '../context/resolve.ts'
import { nowhere, type Surroundings } from '../context/surroundings.ts'
import { GatewayError } from '../base/errors.ts'
import type { RecommendationIds } from '../experiments/recommendation-id.ts'
import { cacheKey } from './cache-key.ts'
import { refuseInapplicable, withParameters } from './applicable.ts'
import { unassigned, type Assigned, type Membership } from './assign.ts'
import { createMaker } from './make.ts'
import { matchedBy, type MatchedExperiment } from './mark.ts'
import { userKindOf, type InferenceRequest } from './request.ts'

/** An inference request with everything resolved that decides its answer. */
export interface Inference {
  readonly request: InferenceRequest
  readonly surroundings: Surroundings
  readonly recommender: RecommenderPlan
  readonly variation: VariationPlan
  /** The experiment that decided on the variation; undefined if none did. */
  readonly membership: Membership | undefined
  /** The experiment that the answer names; undefined if the user takes part in none. */
  readonly matched: MatchedExperiment | undefined
  /** The inference whose list is blended with the list of this one; undefined if the answer is of one variation. */
  readonly opponent: Inference | undefined
  /** The kind of user that the answer is for. */
  readonly user: UserKind
  readonly lookup: Lookup
  /** The version of the document that it was resolved by. */
  readonly configVersion: string | undefined
}

/**
 * Resolves a request: finds the recommender, resolves context and filters, computes the cache key.
 * @param kept whether the cache may keep the answer
 * @param assigned the variation that answers (see assign.ts); absent: the first one
 * @throws GatewayError 404; 400 for a parameter that the variation cannot apply
 */
export function prepare (plan: Plan, given: InferenceRequest, surroundings: Surroundings, kept: boolean, assigned: Assigned = unassigned(findRecommender(plan, given))): Inference {
  const { opponent, membership, ...settled } = assigned
  if (opponent === undefined) return prepareOne(plan, given, surroundings, kept, assigned)
  // Each of the two lists is cached for itself, as that of no experiment. Also one that goes out alone is for this user only.
  return {
    ...prepareOne(plan, given, surroundings, kept, settled),
    membership,
    opponent: { ...prepareOne(plan, given, surroundings, kept, { ...settled, variation: opponent }), membership }
  }
}

function prepareOne (plan: Plan, given: InferenceRequest, surroundings: Surroundings, kept: boolean, { variation, membership }: Assigned): Inference {
  const { namespace, userId } = given
  const user = userKindOf(given)
  const recommender = findRecommender(plan, given)
  const matched = matchedBy(membership, variation.name)
  const answering = mayAnswer(recommender, variation)
  const request = withParameters(given, answering)
  const resolutions = rulesOf(answering).map(rules => resolve(rules, request, surroundings))
  refuseInapplicable(request, variation, resolutions[0]!)
  return {
    request,
    // An inference that depends on no header may be kept by URL. It must not keep the headers of its request in memory.
    surroundings: recommender.vary === '' ? nowhere : surroundings,
    recommender,
    variation,
    membership,
    matched,
    opponent: undefined,
    user,
    configVersion: plan.version,
    lookup: {
      key: cacheKey(plan.fingerprint, variation.name, request, matched, resolutions),
      user: userId === undefined ? undefined : { namespace, userId },
      policy: kept ? variation.cachePolicies[user] : noCache
    }
  }
}

/** Returns the answer from the cache, or else from the origin. @param ids issues the ids of lists whose providers give none @throws GatewayError */
export async function infer (inference: Inference, cache: Cache, ids?: RecommendationIds): Promise<Found> {
  return cache.get(inference.lookup, createMaker({ ...inference, ids }))
}

/** Returns the recommender that a request names. @throws GatewayError 404 */
export function findRecommender (plan: Plan, { action, namespace, recommender }: Pick<InferenceRequest, 'action' | 'namespace' | 'recommender'>): RecommenderPlan {
  const found = namespaceOf(plan, namespace).recommenders.get(recommenderKey(action, recommender))
  if (found === undefined) throw new GatewayError('RecommenderNotConfigured', `recommender: "${recommender}" is not configured for ${action} in namespace "${namespace}"`)
  return found
}

/** Returns every variation that may answer: the assigned one, then its hedge and its fallbacks. */
function mayAnswer ({ variations }: RecommenderPlan, assigned: VariationPlan): VariationPlan[] {
  const { hedge, fallback } = assigned
  if (hedge === undefined && fallback.length === 0) return [assigned]
  return [assigned, ...variations.filter(other => other !== assigned && (other.name === hedge || fallback.includes(other.name)))]
}

function rulesOf (variations: readonly VariationPlan[]): ContextRules[] {
  return variations.length === 1 ? [variations[0]!.contextRules] : [...new Set(variations.map(({ contextRules }) => contextRules))]
}
