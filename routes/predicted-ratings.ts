import Type from 'typebox'
import { CommonQuerySchema, ListedItemIdsSchema, readRequest, UserParamsSchema } from '../src/inference/parameters.ts'
import { cacheableAnswers, inferenceRoute, type App } from './route.ts'

export default async function predictedRatings (app: App): Promise<void> {
  inferenceRoute(app, '/predicted-ratings/:namespace/:recommender/:userId', {
    operationId: 'predictedRatings',
    summary: 'How a user would rate items',
    params: UserParamsSchema,
    querystring: Type.Object({
      items: { ...ListedItemIdsSchema, examples: [['item-1', 'item-2']] },
      ...Type.Pick(CommonQuerySchema, ['context', 'syntheticUser', 'feature']).properties
    }),
    response: cacheableAnswers(Type.Ref('Ratings'))
  }, ({ params, query }) => readRequest('predicted-ratings', { ...params, itemIds: query.items }, query.items.length, query))
}
