import type { RecommenderPlan, VariationPlan } from '../plan/plan.ts'
import type { OriginAnswer, OriginRequest } from '../origins/origin.ts'
import { failureRules, OriginError, type OriginFailure } from '../origins/origin-error.ts'
import { startDeadline } from '../base/deadline.ts'

/** An answer, and the variation that it is from. */
export interface Answered {
  answer: OriginAnswer
  variation: VariationPlan
  /** The failure because of which another variation than the assigned one answered. */
  degraded?: OriginFailure
}

/** With a hedge, a provider call may run this many times longer than its caller waits: its late answer serves later requests. */
const latePatience = 4
const longestWait = 30_000

const never = new AbortController().signal
const tooLate = Symbol('too late')

/** Returns the request for a variation, with the context and filters of that variation. */
export type RequestFor = (variation: VariationPlan) => OriginRequest

/** Receives the provider's answer if it comes after the hedge was served. */
export type OnLate = (answer: Answered) => void

/**
 * Calls a variation's origin until the deadline. If the variation has a hedge, the hedge's answer is served at the deadline. The
 * deadline does not abort a variation that runs in this process, since it does not wait for anything.
 * @throws OriginError
 */
export async function ask (recommender: RecommenderPlan, variation: VariationPlan, requestFor: RequestFor, deadline: AbortSignal, onLate: OnLate): Promise<Answered> {
  const hedge = recommender.variations.find(({ name }) => name === variation.hedge)
  if (hedge !== undefined) return askHedged(variation, hedge, requestFor, onLate)
  return { answer: await call(variation, requestFor, deadline), variation }
}

async function call (variation: VariationPlan, requestFor: RequestFor, signal: AbortSignal): Promise<OriginAnswer> {
  return variation.origin.recommend(requestFor(variation), variation.local ? never : signal)
}

/**
 * Calls the hedge and the fallbacks of a failed variation, in order, until one answers.
 * @throws GatewayError for the first failure, if none of them answers
 */
export async function fallBack ({ variations }: RecommenderPlan, failed: VariationPlan, requestFor: RequestFor, deadline: AbortSignal, error: OriginError): Promise<Answered> {
  const names = failed.hedge === undefined ? failed.fallback : [failed.hedge, ...failed.fallback]
  if (failureRules[error.failure].fallback) {
    for (const name of new Set(names)) {
      const variation = variations.find(other => other.name === name)
      if (variation === undefined || variation === failed || (deadline.aborted && !variation.local)) continue
      try {
        return { answer: await call(variation, requestFor, deadline), variation, degraded: error.failure }
      } catch (next) {
        // The caller gets the first failure, which says more than the failure of a fallback.
        if (!(next instanceof OriginError)) throw next
      }
    }
  }
  throw error.toGatewayError()
}

/**
 * Waits for the provider until the deadline, and then serves the hedge. The hedge is computed once the provider exceeds its 95th
 * percentile latency, so that it is ready at the deadline. The provider call goes on after the deadline, and its late answer is kept
 * for the next equal request.
 */
async function askHedged (variation: VariationPlan, hedge: VariationPlan, requestFor: RequestFor, onLate: OnLate): Promise<Answered> {
  const { timeout, origin } = variation
  const patience = startDeadline(Math.min(timeout * latePatience, longestWait))
  const provider = call(variation, requestFor, patience.signal).finally(() => patience.clear())
  let spare: Promise<OriginAnswer> | undefined
  const prepare = (): Promise<OriginAnswer> => {
    spare ??= call(hedge, requestFor, never)
    spare.catch(() => {})
    return spare
  }
  const slow = 'latencies' in origin ? origin.latencies.p95() ?? timeout : timeout
  const preparing = setTimeout(() => { void prepare() }, Math.min(slow, timeout))
  let deadline: NodeJS.Timeout | undefined
  const late = new Promise<typeof tooLate>(resolve => { deadline = setTimeout(resolve, timeout, tooLate) })
  try {
    const first = await Promise.race([provider, late])
    if (first !== tooLate) return { answer: first, variation }
    provider.then(answer => { onLate({ answer, variation }) }, () => {})
    return { answer: await prepare(), variation: hedge, degraded: 'timeout' }
  } finally {
    clearTimeout(preparing)
    clearTimeout(deadline)
  }
}
