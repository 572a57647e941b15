import { readAnswer } from './answer.ts'
import { openFunction } from './lambda.ts'
import type { OriginAnswer, OriginRequest } from './origin.ts'
import type { Scope } from '../connections/scope.ts'

export interface PostProcessorConfig {
  arn: string
  lookAheadMultiplier?: number
  lookAheadMaximumValue?: number
}

/** A step that may reorder, replace and drop the items of an answer. It sees their metadata, as in the AWS sample. */
export interface PostProcessor {
  /** Returns the number of items to request from the origin, so that enough items are left if the post-processor drops some. */
  lookAhead: (numResults: number) => number
  /**
   * Returns the processed answer.
   * @param variation the variation that answered, as functions get it
   * @param response the answer as JSON text, decorated
   * @throws OriginError
   */
  process: (request: OriginRequest, variation: object, response: string, signal: AbortSignal) => Promise<OriginAnswer>
}

const mostItems = 500

/** Opens an AWS Lambda function that gets the payload of the AWS sample "personalization-apis" and answers as an origin does. */
export async function openPostProcessor (config: PostProcessorConfig, recommender: { name: string, config: object }, scope: Scope): Promise<PostProcessor> {
  const { arn, lookAheadMultiplier = 1, lookAheadMaximumValue = mostItems } = config
  const invoke = await openFunction(arn, scope)
  return {
    lookAhead: numResults => lookAheadMultiplier === 1 ? numResults : Math.floor(Math.min(numResults * lookAheadMultiplier, lookAheadMaximumValue, mostItems)),
    async process ({ action, userId, itemId }, variation, response, signal) {
      const payload = JSON.stringify({
        version: '1.0',
        action,
        recommender: { path: recommender.name, config: recommender.config },
        variation,
        ...(action === 'related-items' ? { itemId } : { userId })
      })
      return readAnswer('Function', action, await invoke(`${payload.slice(0, -1)},"response":${response}}`, signal))
    }
  }
}
