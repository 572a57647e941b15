import Type from 'typebox'
import { ListQuerySchema, readRequest, UserParamsSchema } from '../src/inference/parameters.ts'
import { cacheableAnswers, inferenceRoute, type App } from './route.ts'

export default async function recommendItems (app: App): Promise<void> {
  inferenceRoute(app, '/recommend-items/:namespace/:recommender/:userId', {
    operationId: 'recommendItems',
    summary: 'Items for a user',
    params: UserParamsSchema,
    querystring: ListQuerySchema,
    response: cacheableAnswers(Type.Ref('ItemList'))
  }, ({ params, query }) => readRequest('recommend-items', params, query.numResults, query))
}
