import Type from 'typebox'

const ItemSchema = Type.Object({
  itemId: Type.String(),
  score: Type.Optional(Type.Number({ description: 'Comparable within one answer only.' })),
  metadata: Type.Optional(Type.Object({}, { additionalProperties: true, description: 'What the item metadata store holds of the item.' })),
  reason: Type.Optional(Type.Array(Type.String(), { description: 'Why the item is here, where the provider says so: `popular` for an item filled in because many people like it.' }))
}, { additionalProperties: true })

const common = {
  recommendationId: Type.Optional(Type.String({ description: 'To be sent back with the events that the answer leads to.' })),
  matchedExperiment: Type.Optional(Type.Object({}, { additionalProperties: true }))
}

/** The body of an answer to recommend-items and related-items. */
export const ItemListSchema = Type.Object({ itemList: Type.Array(ItemSchema), ...common }, { $id: 'ItemList', additionalProperties: true, description: 'Items, best first, each once. Further members of a provider\'s answer pass through.', examples: [{ itemList: [{ itemId: 'item-6', score: 175.114, metadata: { name: 'Armchair cushion' } }] }] })

/** The body of an answer to rerank-items. */
export const PersonalizedRankingSchema = Type.Object({ personalizedRanking: Type.Array(ItemSchema), ...common },
  { $id: 'PersonalizedRanking', additionalProperties: true, description: 'The given items, best first, each once. Further members of a provider\'s answer pass through.', examples: [{ personalizedRanking: [{ itemId: 'item-6', score: 175.114 }, { itemId: 'item-1', score: 0 }] }] })

/** The body of an answer to predicted-ratings. */
export const RatingsSchema = Type.Object({
  ratings: Type.Array(Type.Union([Type.Number(), Type.Null()]), { description: 'In the order asked; null where the model gives none.' })
}, { $id: 'Ratings', additionalProperties: true, description: 'Predicted ratings.', examples: [{ ratings: [4.2, null, 1.7] }] })
