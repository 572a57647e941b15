import { personalize } from './personalize.ts'

export const personalizeRecommender = personalize({
  type: 'personalize-recommender',
  resource: 'recommender',
  // GetPersonalizedRanking takes campaigns only.
  actions: ['recommend-items', 'related-items']
})
