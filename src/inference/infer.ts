import { cacheControlHeader } from '../config/cache-control.ts'
import { recommenderKey, type Plan, type RecommenderPlan, type VariationPlan } from '../config/plan.ts'
import { GatewayError } from '../errors.ts'
import { type OriginAnswer } from '../origins/origin.ts'
import { renderBody } from './render.ts'
import { type InferenceRequest } from './request.ts'

/** An answer, ready to be sent. */
export interface Inference {
  /** JSON text. */
  body: string
  /** The variation that answered. */
  variation: string
  cacheControl: string | undefined
}

/**
 * Answers an inference request: resolve the recommender, assign a variation, ask its origin, decorate, render.
 * @throws GatewayError
 */
export async function infer (plan: Plan, request: InferenceRequest): Promise<Inference> {
  const recommender = resolve(plan, request)
  const variation = assign(recommender, request)
  const signal = AbortSignal.timeout(variation.timeout)
  const answer = cut(await variation.origin.recommend(request, signal), request.numResults)
  const metadata = await decorate(variation, answer, request, signal)
  return {
    body: renderBody(request.action, answer, metadata),
    variation: variation.name,
    cacheControl: cacheControlHeader(variation.cacheControl, knownUser(request))
  }
}

function resolve (plan: Plan, { action, namespace, recommender }: InferenceRequest): RecommenderPlan {
  const space = plan.namespaces.get(namespace)
  if (space === undefined) throw new GatewayError('NamespaceNotFound', `namespace: "${namespace}" is not in the configuration`)
  const found = space.recommenders.get(recommenderKey(action, recommender))
  if (found === undefined) throw new GatewayError('RecommenderNotConfigured', `recommender: "${recommender}" is not configured for ${action} in namespace "${namespace}"`)
  return found
}

function assign ({ variations }: RecommenderPlan, _request: InferenceRequest): VariationPlan {
  return variations[0]!
}

function cut (answer: OriginAnswer, numResults: number): OriginAnswer {
  return answer.items.length > numResults ? { ...answer, items: answer.items.slice(0, numResults) } : answer
}

const undecorated: ReadonlyMap<string, string> = new Map()

async function decorate (variation: VariationPlan, { items }: OriginAnswer, { decorateItems }: InferenceRequest, signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
  if (!decorateItems || variation.itemMetadata === undefined) return undecorated
  return variation.itemMetadata.get(items.map(({ itemId }) => itemId), signal)
}

function knownUser ({ userId, syntheticUser }: InferenceRequest): 'none' | 'synthetic' | 'given' {
  if (userId === undefined) return 'none'
  return syntheticUser ? 'synthetic' : 'given'
}
