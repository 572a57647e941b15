import type { RecommenderPlan } from '../../src/config/plan.ts'
import { ask, fallBack, type Answered, type OnLate } from '../../src/inference/ask.ts'
import type { OriginRequest } from '../../src/origins/origin.ts'
import { OriginError } from '../../src/origins/origin-error.ts'

/** Asks the first variation and, where its provider fails, its hedge and fallbacks: what a request gets while the cache has nothing. */
export async function askOrFallBack (recommender: RecommenderPlan, request: OriginRequest, deadline: AbortSignal, onLate: OnLate = () => {}): Promise<Answered> {
  const variation = recommender.variations[0]!
  try {
    return await ask(recommender, variation, request, deadline, onLate)
  } catch (error) {
    if (!(error instanceof OriginError)) throw error
    return await fallBack(recommender, variation, request, deadline, error)
  }
}
