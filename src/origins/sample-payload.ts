import type { OriginRequest, OriginScope } from './origin.ts'

/** Returns the payload, version 1.0, that SageMaker models and functions of the AWS sample "personalization-apis" get. */
export function samplePayload ({ recommender: { name, config }, variation }: OriginScope, request: OriginRequest): object {
  const { action, userId = '', itemId, itemIds, numResults, context } = request
  const reranks = action === 'rerank-items' || action === 'predicted-ratings'
  return {
    version: '1.0',
    action,
    recommender: { path: name, config },
    variation,
    userId,
    itemId,
    ...(reranks ? { itemList: itemIds } : { numResults }),
    context
  }
}
