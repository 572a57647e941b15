import Type from 'typebox'
import { defaultLimits } from '../recommender/limits.ts'
import { recommenderOf } from '../recommender/of-namespace.ts'
import type { ScoredItem } from '../recommender/query.ts'
import { strict } from '../base/schema.ts'
import { originType, type OriginAnswer } from './origin.ts'

const EmbeddedSchema = strict({
  type: Type.Literal('embedded'),
  excludeSeen: Type.Optional(Type.Boolean({ default: true })),
  parameters: Type.Optional(strict({
    recentItems: Type.Optional(Type.Integer({ minimum: 1, maximum: 9, default: 4 })),
    sampleSize: Type.Optional(Type.Integer({ minimum: 1, maximum: defaultLimits.postings, default: 1500 })),
    neighbours: Type.Optional(Type.Integer({ minimum: 1, maximum: defaultLimits.postings, default: 300 }))
  })),
  eventWeights: Type.Optional(Type.Record(Type.String({ pattern: '^.{1,256}$' }), Type.Number({ minimum: -1000, maximum: 1000 }), { additionalProperties: false, maxProperties: 100 }))
})

export const defaultParameters = { recentItems: 4, sampleSize: 1500, neighbours: 300 }
const defaultEventWeights = { view: 1, click: 1, cart: 2, purchase: 3 }

/** The recommender in this process, which learns from the namespace's events as they arrive. Its answers never wait for I/O. */
export const embedded = originType({
  type: 'embedded',
  schema: EmbeddedSchema,
  actions: ['recommend-items', 'related-items', 'rerank-items', 'predicted-ratings'],
  async open ({ excludeSeen = true, parameters, eventWeights = defaultEventWeights }, scope) {
    const recommender = await recommenderOf(scope)
    const model = await scope.share(`model/${scope.namespace}/${JSON.stringify(Object.entries(eventWeights).sort())}`,
      async () => recommender.model(eventWeights), forgotten => recommender.forget(forgotten))
    const knn = { ...defaultParameters, ...parameters }
    return {
      async recommend ({ action, userId, itemId, itemIds, numResults }) {
        const query = { userId, numResults, excludeSeen, parameters: knn }
        if (itemId !== undefined) return answer(model.query.related(itemId, query))
        if (action === 'predicted-ratings') return { items: [], ratings: model.query.rate(itemIds ?? [], query) }
        if (action === 'rerank-items') return answer(model.query.rerank(itemIds ?? [], query))
        return answer(model.query.recommend(query))
      }
    }
  }
})

function answer (scored: ScoredItem[]): OriginAnswer {
  return { items: scored.map(({ itemId, score, popular }) => popular ? { itemId, score, reason: ['popular'] } : { itemId, score }) }
}
