import type { RecommenderPlan, VariationPlan } from '../plan/plan.ts'
import type { OriginAnswer, OriginRequest } from '../origins/origin.ts'
import { failureRules, OriginError, type OriginFailure } from '../origins/origin-error.ts'
import { startDeadline } from '../base/deadline.ts'

/** An answer, and how it was made. */
export interface Answered {
  answer: OriginAnswer
  variation: VariationPlan
  /** Why another variation than the assigned one answered. */
  degraded?: OriginFailure
}

/** A provider may go on this many times longer than its caller waits, so that its late answer is of use to the next. */
const latePatience = 4
const longestWait = 30_000

const never = new AbortController().signal
const tooLate = Symbol('too late')

/** The request as a variation wants it: each has context and filters of its own. */
export type RequestFor = (variation: VariationPlan) => OriginRequest

/** @param onLate takes what the provider answers after its hedge was served */
export type OnLate = (answer: Answered) => void

/**
 * Asks a variation's origin until the deadline; where it has a hedge, that is served at the deadline. What runs in this process may
 * answer after the deadline, too: it does not wait.
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
 * Asks the hedge and the fallbacks of a variation that failed, in order.
 * @throws GatewayError for the first failure, where nothing else answered either
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
        // What failed first says more to the caller than what failed in its stead.
        if (!(next instanceof OriginError)) throw next
      }
    }
  }
  throw error.toGatewayError()
}

/**
 * Waits for the provider until the deadline, and serves the hedge then. The hedge is worked out when the provider is slower than it
 * is to nineteen of twenty, so that it is there in time; the provider is not stopped at the deadline, and what it answers then is
 * for the next who asks the same.
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
