import { personalize } from './personalize.ts'

export const personalizeCampaign = personalize({
  type: 'personalize-campaign',
  resource: 'campaign',
  actions: ['recommend-items', 'related-items', 'rerank-items']
})
