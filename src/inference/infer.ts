import type { Cache, Found, Lookup } from '../cache/cache.ts'
import { cacheKey } from '../cache/key.ts'
import { noCache } from '../cache/policy.ts'
import { recommenderKey, type Plan, type RecommenderPlan, type VariationPlan } from '../config/plan.ts'
import { selectFilter } from '../context/filters.ts'
import { GatewayError } from '../errors.ts'
import { createMaker } from './make.ts'
import type { InferenceRequest } from './request.ts'

/** An inference request with everything settled that decides its answer. */
export interface Inference {
  readonly request: InferenceRequest
  readonly recommender: RecommenderPlan
  readonly variation: VariationPlan
  readonly lookup: Lookup
  /** Of the document that it was settled by. */
  readonly configVersion: string | undefined
}

/**
 * Settles what is to be answered: resolve the recommender, assign a variation, work out the key.
 * @param kept whether the answer may be kept
 * @throws GatewayError 404
 */
export function prepare (plan: Plan, request: InferenceRequest, kept: boolean): Inference {
  const { namespace, userId } = request
  const recommender = resolve(plan, request)
  const variation = assign(recommender, request)
  return {
    request,
    recommender,
    variation,
    configVersion: plan.version,
    lookup: {
      key: cacheKey(plan.fingerprint, variation.name, withoutIdleValues(recommender, request)),
      user: userId === undefined ? undefined : { namespace, userId },
      policy: kept ? variation.cachePolicy : noCache
    }
  }
}

/** Answers from the cache, or from the origin. @throws GatewayError */
export async function infer (inference: Inference, cache: Cache): Promise<Found> {
  return cache.get(inference.lookup, createMaker(inference))
}

function resolve (plan: Plan, { action, namespace, recommender }: InferenceRequest): RecommenderPlan {
  const space = plan.namespaces.get(namespace)
  if (space === undefined) throw new GatewayError('NamespaceNotFound', `namespace: "${namespace}" is not in the configuration`)
  const found = space.recommenders.get(recommenderKey(action, recommender))
  if (found === undefined) throw new GatewayError('RecommenderNotConfigured', `recommender: "${recommender}" is not configured for ${action} in namespace "${namespace}"`)
  return found
}

/** Values that no filter takes mean nothing. */
function withoutIdleValues ({ variations }: RecommenderPlan, request: InferenceRequest): InferenceRequest {
  const { filterValues } = request
  if (filterValues === undefined || variations.some(({ filters }) => selectFilter(filters, request).filter !== undefined)) return request
  return { ...request, filterValues: undefined }
}

function assign ({ variations }: RecommenderPlan, _request: InferenceRequest): VariationPlan {
  return variations[0]!
}
