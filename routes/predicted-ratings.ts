import Type from 'typebox'
import { CommonQuerySchema, readItemIds, readRequest, UserParamsSchema } from '../src/inference/parameters.ts'
import { cacheableAnswers, inferenceRoute, type App } from './route.ts'

export default async function predictedRatings (app: App): Promise<void> {
  inferenceRoute(app, '/predicted-ratings/:namespace/:recommender/:userId', {
    operationId: 'predictedRatings',
    summary: 'How a user would rate items',
    params: UserParamsSchema,
    querystring: Type.Object({
      items: Type.String({ minLength: 1, maxLength: 8192, description: 'Item ids, separated by commas.', examples: ['item-1,item-2'] }),
      ...Type.Pick(CommonQuerySchema, ['context', 'syntheticUser', 'feature']).properties
    }),
    response: cacheableAnswers(Type.Ref('Ratings'))
  }, ({ params, query }) => {
    const itemIds = readItemIds('items', query.items)
    return readRequest('predicted-ratings', { ...params, itemIds }, itemIds.length, query)
  })
}
