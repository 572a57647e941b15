import type { Maker } from '../cache/cache.ts'
import type { Made } from '../cache/entry.ts'
import type { RecommenderPlan, VariationPlan } from '../config/plan.ts'
import { startDeadline } from '../deadline.ts'
import { GatewayError } from '../errors.ts'
import type { OriginAnswer } from '../origins/origin.ts'
import { failureRules, OriginError } from '../origins/origin-error.ts'
import { ask, fallBack, type Answered } from './ask.ts'
import type { PostProcessor } from './post-process.ts'
import { renderBody } from './render.ts'
import type { InferenceRequest } from './request.ts'
import { createStopwatch, type Stopwatch } from './stopwatch.ts'

const undecorated: ReadonlyMap<string, string> = new Map()

export interface MakerOptions {
  readonly request: InferenceRequest
  readonly recommender: RecommenderPlan
  readonly variation: VariationPlan
}

/**
 * Makes the answer that the cache does not have: ask the origin, post-process, decorate, cut, render. One deadline holds for all of it,
 * the fallbacks included.
 */
export function createMaker ({ request, recommender, variation }: MakerOptions): Maker {
  const stopwatch = createStopwatch()
  const endsAt = performance.now() + variation.timeout

  async function untilDeadline (stage: string, asking: (deadline: AbortSignal) => Promise<Answered>): Promise<Made> {
    const deadline = startDeadline(endsAt - performance.now())
    try {
      const answered = await stopwatch.time(stage, async () => asking(deadline.signal))
      return await finish(answered, deadline.signal, stopwatch)
    } finally {
      deadline.clear()
    }
  }

  async function finish (answered: Answered, deadline: AbortSignal, stopwatch: Stopwatch): Promise<Made> {
    const { postProcessor } = recommender
    const processed = postProcessor === undefined ? answered.answer : await stopwatch.time('post-process', async () => postProcess(postProcessor, answered, request, deadline))
    const cutToSize = cut(processed, request.numResults)
    const { itemMetadata } = answered.variation
    const metadata = itemMetadata === undefined || !request.decorateItems ? undecorated : await stopwatch.time('decorate', async () => itemMetadata.get(cutToSize.items.map(({ itemId }) => itemId), deadline))
    return {
      body: renderBody(request.action, cutToSize, metadata),
      variation: answered.variation.name,
      degraded: answered.degraded,
      timing: stopwatch.toString()
    }
  }

  const wider = lookAhead(recommender, request)
  return {
    make: async keepLate => untilDeadline('origin', async deadline => ask(recommender, variation, wider, deadline, late => {
      // It is late: it gets the time that a request has.
      const more = startDeadline(variation.timeout)
      finish(late, more.signal, createStopwatch()).then(keepLate, () => {}).finally(() => { more.clear() })
    })),
    excuse: error => {
      const failure = originErrorOf(error)?.failure
      return failure !== undefined && failureRules[failure].fallback ? failure : undefined
    },
    async rescue (error) {
      if (!(error instanceof OriginError)) throw error
      return untilDeadline('fallback', async deadline => fallBack(recommender, variation, wider, deadline, error))
    }
  }
}

/** A post-processor's failure is already an answer to the caller: no other variation would do better. */
function originErrorOf (error: unknown): OriginError | undefined {
  if (error instanceof GatewayError) return originErrorOf(error.cause)
  return error instanceof OriginError ? error : undefined
}

function lookAhead ({ postProcessor }: RecommenderPlan, request: InferenceRequest): InferenceRequest {
  if (postProcessor === undefined || request.itemIds !== undefined) return request
  return { ...request, numResults: postProcessor.lookAhead(request.numResults), wanted: request.numResults }
}

async function postProcess (postProcessor: PostProcessor, { answer, variation, degraded }: Answered, request: InferenceRequest, signal: AbortSignal): Promise<OriginAnswer> {
  if (request.action === 'predicted-ratings') return answer
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
