import { readAnswer } from './answer.ts'
import { openFunction } from './lambda.ts'
import type { OriginAnswer, OriginRequest } from './origin.ts'
import type { Scope } from '../connections/scope.ts'

export interface PostProcessorConfig {
  arn: string
  lookAheadMultiplier?: number
  lookAheadMaximumValue?: number
}

/** Something that may reorder, replace and drop items before anything else is done with them. */
export interface PostProcessor {
  /** How many items to ask the origin for, so that enough are left when some are dropped. */
  lookAhead: (numResults: number) => number
  /** @param variation the one that answered, as in the document @throws OriginError */
  process: (request: OriginRequest, variation: object, answer: OriginAnswer, signal: AbortSignal) => Promise<OriginAnswer>
}

const mostItems = 500

/** A function that gets the payload of the AWS sample "personalization-apis" and answers as an origin does. */
export async function openPostProcessor (config: PostProcessorConfig, recommender: { name: string, config: object }, scope: Scope): Promise<PostProcessor> {
  const { arn, lookAheadMultiplier = 1, lookAheadMaximumValue = mostItems } = config
  const invoke = await openFunction(arn, scope)
  return {
    lookAhead: numResults => lookAheadMultiplier === 1 ? numResults : Math.floor(Math.min(numResults * lookAheadMultiplier, lookAheadMaximumValue, mostItems)),
    async process ({ action, userId, itemId }, variation, { items, ...rest }, signal) {
      const list = action === 'rerank-items' ? 'personalizedRanking' : 'itemList'
      const payload = {
        version: '1.0',
        action,
        recommender: { path: recommender.name, config: recommender.config },
        variation,
        ...(action === 'related-items' ? { itemId } : { userId }),
        response: { [list]: items, ...rest }
      }
      return readAnswer('Function', action, await invoke(payload, signal))
    }
  }
}
