import Type from 'typebox'
import { Compile } from 'typebox/compile'
import type { Scope } from './scope.ts'

const common = { version: Type.Literal('1.0'), context: Type.Optional(Type.Record(Type.String(), Type.Unknown())) }
const numResults = Type.Integer({ minimum: 1 })

/** The payload of functions and models, version 1.0: a request for items, or an answer to post-process. */
const PayloadSchema = Type.Union([
  Type.Object({ ...common, action: Type.Enum(['recommend-items', 'related-items', 'rerank-items']), response: Type.Object({}) }),
  Type.Object({ ...common, action: Type.Literal('recommend-items'), userId: Type.String({ minLength: 1 }), numResults }),
  Type.Object({ ...common, action: Type.Literal('related-items'), itemId: Type.String({ minLength: 1 }), userId: Type.Optional(Type.String()), numResults }),
  Type.Object({ ...common, action: Type.Literal('rerank-items'), userId: Type.String({ minLength: 1 }), itemList: Type.Array(Type.String()) })
])

const payloads = Compile(PayloadSchema)

/**
 * Returns the default answer of functions and models: items of the recommender, or an answer to post-process unchanged.
 * @throws TypeError for a payload that is not of version 1.0
 */
export function answerPayload (payload: unknown, { model }: Scope): object {
  if (!payloads.Check(payload)) throw new TypeError('the payload is not of version 1.0')
  if ('response' in payload) return payload.response
  const items = ({ itemId, score }: { itemId: string, score: number }): object => ({ itemId, score })
  switch (payload.action) {
    case 'recommend-items': return { itemList: model.recommend(payload.userId, payload.numResults).map(items) }
    // The payload has an empty text if there is no user.
    case 'related-items': return { itemList: model.related(payload.itemId, payload.userId || undefined, payload.numResults).map(items) }
    case 'rerank-items': return { personalizedRanking: model.rerank(payload.itemList, payload.userId).map(items) }
  }
}
