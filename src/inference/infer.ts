import type { Cache, Found, Lookup } from '../cache/cache.ts'
import type { UserKind } from '../cache/cache-control.ts'
import { noCache } from '../cache/policy.ts'
import { namespaceOf, recommenderKey, type Plan, type RecommenderPlan, type VariationPlan } from '../plan/plan.ts'
import { resolve, type ContextRules } from '../context/resolve.ts'
import { nowhere, type Surroundings } from '../context/surroundings.ts'
import { GatewayError } from '../base/errors.ts'
import { cacheKey } from './cache-key.ts'
import { createMaker } from './make.ts'
import { userKindOf, type InferenceRequest } from './request.ts'

/** An inference request with everything settled that decides its answer. */
export interface Inference {
  readonly request: InferenceRequest
  readonly surroundings: Surroundings
  readonly recommender: RecommenderPlan
  readonly variation: VariationPlan
  /** What is known of the user. */
  readonly user: UserKind
  readonly lookup: Lookup
  /** Of the document that it was settled by. */
  readonly configVersion: string | undefined
}

/**
 * Settles what is to be answered: find the recommender, assign a variation, resolve context and filters, work out the key.
 * @param kept whether the answer may be kept
 * @throws GatewayError 404
 */
export function prepare (plan: Plan, request: InferenceRequest, surroundings: Surroundings, kept: boolean): Inference {
  const { namespace, userId } = request
  const user = userKindOf(request)
  const recommender = findRecommender(plan, request)
  const variation = assign(recommender, request)
  const resolutions = decidingRules(recommender, variation).map(rules => resolve(rules, request, surroundings))
  return {
    request,
    // What no header has a part in may be remembered, and is to keep no request alive.
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

/** Answers from the cache, or from the origin. @throws GatewayError */
export async function infer (inference: Inference, cache: Cache): Promise<Found> {
  return cache.get(inference.lookup, createMaker(inference))
}

function findRecommender (plan: Plan, { action, namespace, recommender }: InferenceRequest): RecommenderPlan {
  const found = namespaceOf(plan, namespace).recommenders.get(recommenderKey(action, recommender))
  if (found === undefined) throw new GatewayError('RecommenderNotConfigured', `recommender: "${recommender}" is not configured for ${action} in namespace "${namespace}"`)
  return found
}

/** The rules of every variation that may answer in the place of one, its own first. */
function decidingRules ({ variations }: RecommenderPlan, { contextRules, hedge, fallback }: VariationPlan): ContextRules[] {
  if (hedge === undefined && fallback.length === 0) return [contextRules]
  const others = variations.filter(({ name }) => name === hedge || fallback.includes(name))
  return [...new Set([contextRules, ...others.map(other => other.contextRules)])]
}

function assign ({ variations }: RecommenderPlan, _request: InferenceRequest): VariationPlan {
  return variations[0]!
}
