import { cacheControlHeader } from '../config/cache-control.ts'
import { recommenderKey, type Plan, type RecommenderPlan, type VariationPlan } from '../config/plan.ts'
import { startDeadline } from '../deadline.ts'
import { GatewayError } from '../errors.ts'
import type { OriginAnswer } from '../origins/origin.ts'
import { OriginError } from '../origins/origin-error.ts'
import { ask, type Answered } from './ask.ts'
import { renderBody } from './render.ts'
import type { InferenceRequest } from './request.ts'

/** An answer, ready to be sent. */
export interface Inference {
  /** JSON text. */
  body: string
  /** The variation that answered. */
  variation: string
  /** Why it is not the answer of the assigned variation; undefined where it is. */
  degraded: string | undefined
  cacheControl: string | undefined
}

/** A degraded answer may be kept this long downstream, in seconds. */
const degradedMaxAge = 2

/**
 * Answers an inference request: resolve the recommender, assign a variation, ask its origin, post-process, decorate, render.
 * @throws GatewayError
 */
export async function infer (plan: Plan, request: InferenceRequest): Promise<Inference> {
  const recommender = resolve(plan, request)
  const variation = assign(recommender, request)
  const deadline = startDeadline(variation.timeout)
  try {
    return await answer(recommender, variation, request, deadline.signal)
  } finally {
    deadline.clear()
  }
}

async function answer (recommender: RecommenderPlan, variation: VariationPlan, request: InferenceRequest, deadline: AbortSignal): Promise<Inference> {
  const answered = await ask(recommender, variation, lookAhead(recommender, request), deadline)
  const processed = await postProcess(recommender, answered, request, deadline)
  const cutToSize = cut(processed, request.numResults)
  const metadata = await decorate(answered.variation, cutToSize, request, deadline)
  return {
    body: renderBody(request.action, cutToSize, metadata),
    variation: answered.variation.name,
    degraded: answered.degraded,
    cacheControl: cacheControlHeader(variation.cacheControl, knownUser(request), answered.degraded === undefined ? undefined : degradedMaxAge)
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

function lookAhead ({ postProcessor }: RecommenderPlan, request: InferenceRequest): InferenceRequest {
  if (postProcessor === undefined || request.itemIds !== undefined) return request
  return { ...request, numResults: postProcessor.lookAhead(request.numResults), wanted: request.numResults }
}

async function postProcess ({ postProcessor }: RecommenderPlan, { answer, variation, degraded }: Answered, request: InferenceRequest, signal: AbortSignal): Promise<OriginAnswer> {
  if (postProcessor === undefined || request.action === 'predicted-ratings') return answer
  // An answer that came in the place of a late one leaves the function no time.
  if (degraded !== undefined && signal.aborted) return answer
  try {
    return await postProcessor.process(request, variation.config, answer, signal)
  } catch (error) {
    throw error instanceof OriginError ? error.toGatewayError() : error
  }
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
