import type { Maker } from '../cache/cache.ts'
import type { Made } from '../cache/entry.ts'
import type { RecommenderPlan, VariationPlan } from '../plan/plan.ts'
import { resolve } from '../context/resolve.ts'
import type { Surroundings } from '../context/surroundings.ts'
import { startDeadline } from '../base/deadline.ts'
import { GatewayError } from '../base/errors.ts'
import { createSequence } from '../base/turns.ts'
import { ItemMetadataError, type Undecorated } from '../metadata/store.ts'
import type { RecommendationIds } from '../experiments/recommendation-id.ts'
import type { OriginAnswer, RecommendedItem } from '../origins/origin.ts'
import { failureRules, OriginError } from '../origins/origin-error.ts'
import { inAnswerRoom, manyItems } from './answer-room.ts'
import { ask, fallBack, type Answered, type RequestFor } from './ask.ts'
import type { PostProcessor } from '../origins/post-process.ts'
import { render, type Rendered } from './render.ts'
import { mark, type MatchedExperiment } from './mark.ts'
import { renderLarge } from './render-large.ts'
import type { InferenceRequest } from './request.ts'
import { createStopwatch, type Stopwatch } from './stopwatch.ts'

export interface MakerOptions {
  readonly request: InferenceRequest
  readonly surroundings: Surroundings
  readonly recommender: RecommenderPlan
  readonly variation: VariationPlan
  /** The experiment that the answer of the variation names. */
  readonly matched?: MatchedExperiment | undefined
  /** Issues the ids of lists whose providers give none; absent: such lists have none. */
  readonly ids?: RecommendationIds | undefined
}

/** Large answers, with metadata of this machine, are made one at a time: at once, they would only take more memory. */
const oneAtATime = createSequence()

/**
 * Returns the maker of an answer that the cache does not have: call the origin, decorate, post-process, cut, render. One deadline
 * holds for all of these steps, including the fallbacks.
 */
export function createMaker ({ request, surroundings, recommender: whole, variation, matched, ids }: MakerOptions): Maker {
  const recommender = thatCanAnswer(whole, request)
  const stopwatch = createStopwatch()
  let endsAt = 0

  async function untilDeadline (stage: string, asking: (deadline: AbortSignal) => Promise<Answered>): Promise<Made> {
    const deadline = startDeadline(endsAt - performance.now())
    try {
      const answered = await stopwatch.time(stage, async () => asking(deadline.signal))
      return await finish(answered, deadline.signal, stopwatch)
    } finally {
      deadline.clear()
      // Timers fire up to 2 ms early by this clock. No fallback may be called in the time that seems to remain.
      if (deadline.signal.aborted) endsAt = 0
    }
  }

  async function finish ({ answer, variation, degraded }: Answered, deadline: AbortSignal, stopwatch: Stopwatch): Promise<Made> {
    const { action, numResults } = request
    const postProcessor = action === 'predicted-ratings' ? undefined : recommender.postProcessor
    // The answer of a fallback is not that of the variation under test.
    const marked = (answer: OriginAnswer): OriginAnswer => mark(answer, request, { variation: variation.name, matched: degraded === undefined ? matched : undefined, ids })
    const distinct = marked(withoutRepeats(answer))
    const decorated = postProcessor === undefined ? cut(distinct, numResults) : distinct
    const { itemMetadata } = variation
    const isLarge = itemMetadata?.local === true && request.decorateItems && decorated.items.length > manyItems
    const dress = async (): Promise<Decoration & Rendered> => {
      // A post-processor may fail, and then the metadata is needed again.
      if (isLarge && postProcessor === undefined) return { ...nothing, ...await stopwatch.time('decorate', async () => renderLarge(action, decorated, itemMetadata, deadline)) }
      const decoration = await decorate(variation, decorated, request, deadline, stopwatch)
      return { ...decoration, ...await render(action, decorated, decoration.metadata) }
    }
    const { metadata, undecorated, ...dressed } = await (isLarge ? oneAtATime(async () => inAnswerRoom(decorated.items.length, dress)) : dress())
    let rendered: Rendered = dressed
    // A hedge answers at the deadline, which leaves the post-processor no time.
    if (postProcessor !== undefined && degraded !== undefined && deadline.aborted) {
      rendered = await render(action, cut(decorated, numResults), metadata)
    } else if (postProcessor !== undefined) {
      const processed = await stopwatch.time('post-process', async () => postProcess(postProcessor, variation, request, dressed.body.toString(), deadline))
      rendered = await render(action, cut(marked(withoutRepeats({ ...processed, recommendationId: processed.recommendationId ?? distinct.recommendationId })), numResults), nothing.metadata)
    }
    return { ...rendered, variation: variation.name, degraded, undecorated, timing: stopwatch.toString() }
  }

  const wider = lookAhead(recommender, request)
  const requestFor: RequestFor = ({ contextRules }) => {
    const resolution = resolve(contextRules, wider, surroundings)
    return resolution === wider ? wider : { ...wider, filter: resolution.filter, filterValues: resolution.filterValues, context: resolution.context }
  }
  return {
    make: async keepLate => {
      // The time that the request waited for its turn does not count.
      endsAt = performance.now() + variation.timeout
      return untilDeadline('origin', async deadline => ask(recommender, variation, requestFor, deadline, late => {
        // The deadline is over. The late answer gets a new deadline, as long as that of a request.
        const more = startDeadline(variation.timeout)
        finish(late, more.signal, createStopwatch()).then(keepLate).catch(() => {}).finally(() => { more.clear() })
      }))
    },
    excuse: error => {
      const failure = originErrorOf(error)?.failure
      return failure !== undefined && failureRules[failure].fallback ? failure : undefined
    },
    async rescue (error) {
      if (!(error instanceof OriginError)) throw error
      return untilDeadline('fallback', async deadline => fallBack(recommender, variation, requestFor, deadline, error))
    }
  }
}

/** Returns the OriginError behind an error. A failed post-processor throws a GatewayError, since no fallback would do better. */
function originErrorOf (error: unknown): OriginError | undefined {
  if (error instanceof GatewayError) return originErrorOf(error.cause)
  return error instanceof OriginError ? error : undefined
}

/** Returns the recommender without the variations that cannot apply the filter of the request: they must not answer in place of others. */
function thatCanAnswer (recommender: RecommenderPlan, { filter, filterValues }: InferenceRequest): RecommenderPlan {
  if (filter === undefined && Object.keys(filterValues ?? {}).length === 0) return recommender
  return { ...recommender, variations: recommender.variations.filter(({ filters }) => filters) }
}

function lookAhead ({ postProcessor }: RecommenderPlan, request: InferenceRequest): InferenceRequest {
  if (postProcessor === undefined || request.itemIds !== undefined) return request
  return { ...request, numResults: postProcessor.lookAhead(request.numResults), wanted: request.numResults }
}

async function postProcess (postProcessor: PostProcessor, variation: VariationPlan, request: InferenceRequest, response: string, signal: AbortSignal): Promise<OriginAnswer> {
  try {
    return await postProcessor.process(request, variation.config, response, signal)
  } catch (error) {
    throw error instanceof OriginError ? error.toGatewayError() : error
  }
}

/** Returns the answer with each item once: the first of several entries of an item. */
function withoutRepeats (answer: OriginAnswer): OriginAnswer {
  const { items } = answer
  const byId = new Map<string, RecommendedItem>()
  for (const item of items) {
    if (!byId.has(item.itemId)) byId.set(item.itemId, item)
  }
  return byId.size === items.length ? answer : { ...answer, items: [...byId.values()] }
}

function cut (answer: OriginAnswer, numResults: number): OriginAnswer {
  return answer.items.length > numResults ? { ...answer, items: answer.items.slice(0, numResults) } : answer
}

interface Decoration {
  /** JSON texts by item id. */
  metadata: ReadonlyMap<string, string>
  /** The reason why some items have no metadata. */
  undecorated?: Undecorated
}

const nothing: Decoration = { metadata: new Map() }

/** Returns the metadata of the items. If the store fails or is too slow, the answer goes out without the missing metadata. */
async function decorate ({ itemMetadata }: VariationPlan, { items }: OriginAnswer, { decorateItems }: InferenceRequest, deadline: AbortSignal, stopwatch: Stopwatch): Promise<Decoration> {
  if (itemMetadata === undefined || !decorateItems || items.length === 0) return nothing
  try {
    return { metadata: await stopwatch.time('decorate', async () => itemMetadata.get(items.map(({ itemId }) => itemId), deadline)) }
  } catch (error) {
    if (!(error instanceof ItemMetadataError)) throw error
    return { metadata: error.found, undecorated: error.reason }
  }
}
