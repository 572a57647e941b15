import Type from 'typebox'
import { ListQuerySchema, readRequest, RecommenderParamsSchema } from '../src/inference/parameters.ts'
import { IdSchema } from '../src/base/schema.ts'
import { cacheableAnswers, inferenceRoute, type App } from './route.ts'

export default async function relatedItems (app: App): Promise<void> {
  inferenceRoute(app, '/related-items/:namespace/:recommender/:itemId', {
    operationId: 'relatedItems',
    summary: 'Items like an item',
    params: Type.Object({ ...RecommenderParamsSchema.properties, itemId: IdSchema }),
    querystring: Type.Object({ ...ListQuerySchema.properties, userId: Type.Optional(IdSchema) }),
    response: cacheableAnswers(Type.Ref('ItemList'))
  }, ({ params, query }) => readRequest('related-items', { ...params, userId: query.userId }, query.numResults, query))
}
