import type { RecommenderPlan, VariationPlan } from '../../src/plan/plan.ts'
import { resolve } from '../../src/context/resolve.ts'
import { ask, fallBack, type Answered, type OnLate } from '../../src/inference/ask.ts'
import type { OriginRequest } from '../../src/origins/origin.ts'
import { OriginError } from '../../src/origins/origin-error.ts'
import { testSurroundings } from './surroundings.ts'

/** Asks the first variation and, if its provider fails, its hedge and fallbacks, as a request does on a cache miss. */
export async function askOrFallBack (recommender: RecommenderPlan, request: OriginRequest, deadline: AbortSignal, onLate: OnLate = () => {}): Promise<Answered> {
  const variation = recommender.variations[0]!
  const requestFor = ({ contextRules }: VariationPlan): OriginRequest => ({ ...request, ...resolve(contextRules, request, testSurroundings()) })
  try {
    return await ask(recommender, variation, requestFor, deadline, onLate)
  } catch (error) {
    if (!(error instanceof OriginError)) throw error
    return await fallBack(recommender, variation, requestFor, deadline, error)
  }
}
