import type { Cache, Found, Lookup } from '../cache/cache.ts'
import type { UserKind } from '../cache/cache-control.ts'
import { noCache } from '../cache/policy.ts'
import { namespaceOf, recommenderKey, type Plan, type RecommenderPlan, type VariationPlan } from '../plan/plan.ts'
import { resolve, type ContextRules } from '../context/resolve.ts'
import { nowhere, type Surroundings } from '../context/surroundings.ts'
import { GatewayError } from '../base/errors.ts'
import { cacheKey } from './cache-key.ts'
import { refuseInapplicable, withParameters } from './applicable.ts'
import { createMaker } from './make.ts'
import { userKindOf, type InferenceRequest } from './request.ts'

/** An inference request with everything resolved that decides its answer. */
export interface Inference {
  readonly request: InferenceRequest
  readonly surroundings: Surroundings
  readonly recommender: RecommenderPlan
  readonly variation: VariationPlan
  /** The kind of user that the answer is for. */
  readonly user: UserKind
  readonly lookup: Lookup
  /** The version of the document that it was resolved by. */
  readonly configVersion: string | undefined
}

/**
 * Resolves a request: finds the recommender, assigns a variation, resolves context and filters, computes the cache key.
 * @param kept whether the cache may keep the answer
 * @throws GatewayError 404; 400 for a parameter that the variation cannot apply
 */
export function prepare (plan: Plan, given: InferenceRequest, surroundings: Surroundings, kept: boolean): Inference {
  const { namespace, userId } = given
  const user = userKindOf(given)
  const recommender = findRecommender(plan, given)
  const variation = assign(recommender, given)
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
    user,
    configVersion: plan.version,
    lookup: {
      key: cacheKey(plan.fingerprint, variation.name, request, resolutions),
      user: userId === undefined ? undefined : { namespace, userId },
      policy: kept ? variation.cachePolicies[user] : noCache
    }
  }
}

/** Returns the answer from the cache, or else from the origin. @throws GatewayError */
export async function infer (inference: Inference, cache: Cache): Promise<Found> {
  return cache.get(inference.lookup, createMaker(inference))
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

function assign ({ variations }: RecommenderPlan, _request: InferenceRequest): VariationPlan {
  return variations[0]!
}
