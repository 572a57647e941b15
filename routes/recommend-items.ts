import Type from 'typebox'
import { ListQuerySchema, readRequest, UserParamsSchema } from '../src/inference/parameters.ts'
import { cacheableAnswers, type App } from './route.ts'

export default async function recommendItems (app: App): Promise<void> {
  app.get('/recommend-items/:namespace/:recommender/:userId', {
    schema: {
      operationId: 'recommendItems',
      summary: 'Items for a user',
      params: UserParamsSchema,
      querystring: ListQuerySchema,
      response: cacheableAnswers(Type.Ref('ItemList'))
    }
  }, ({ params, query }, reply) =>
    reply.infer(readRequest('recommend-items', params, query.numResults, query)))
}
