import Type from 'typebox'
import { CommonQuerySchema, ItemIdsSchema, ListedItemIdsSchema, readRequest, UserParamsSchema } from '../src/inference/parameters.ts'
import { findRecommender } from '../src/inference/infer.ts'
import { answers, cacheableAnswers, inferenceRoute, type App } from './route.ts'

const url = '/rerank-items/:namespace/:recommender/:userId'

export default async function rerankItems (app: App): Promise<void> {
  inferenceRoute(app, `${url}/:itemIds`, {
    operationId: 'rerankItems',
    summary: 'A list reordered for a user',
    description: 'The answer can be cached.',
    params: Type.Object({ ...UserParamsSchema.properties, itemIds: ListedItemIdsSchema }),
    querystring: CommonQuerySchema,
    response: cacheableAnswers(Type.Ref('PersonalizedRanking'))
  }, ({ params, query }) => readRequest('rerank-items', params, params.itemIds.length, query))

  app.post(url, {
    config: { access: 'read' },
    onRequest ({ params }, _reply, done) {
      findRecommender(app.config.plan, { action: 'rerank-items', ...params })
      done()
    },
    schema: {
      operationId: 'rerankItemsOfBody',
      summary: 'A list reordered for a user, given in the body',
      description: 'For lists that do not fit into a URL. The answer is not cached.',
      params: UserParamsSchema,
      querystring: CommonQuerySchema,
      body: ItemIdsSchema,
      response: answers(Type.Ref('PersonalizedRanking'))
    }
  }, ({ params, query, body }, reply) =>
    reply.infer(readRequest('rerank-items', { ...params, itemIds: body }, body.length, query)))
}
