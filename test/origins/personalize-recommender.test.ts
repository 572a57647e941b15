import t from 'tap'
import { parseConfig } from '../../src/config/parse.ts'
import { originContract } from '../contracts/origin.ts'
import { arn } from '../docker/aws-local/start.ts'
import { startAws } from '../support/aws.ts'
import { openOrigin, requests } from '../support/open-origin.ts'
import { openPersonalize, promotions, service } from '../support/personalize-contract.ts'
import { hasSdkHeaders } from '../support/wire.ts'

originContract({ type: 'personalize-recommender', provider: 'Personalize', open: async t => openPersonalize(t, 'recommender') })

const recommender = arn('recommender/for-you')
const variation = { type: 'personalize-recommender', arn: recommender }

t.test('GetRecommendations of a recommender', async t => {
  const { aws } = await startAws(t)
  const origin = await openOrigin(t, { ...variation, promotions }, ['NAME'])
  const signal = new AbortController().signal
  await origin.recommend({ ...requests['recommend-items'], filter: 'in-stock', context: { DEVICE: 'tv' } }, signal)
  await origin.recommend({ ...requests['related-items'], userId: 'user-1', decorateItems: false }, signal)
  const received = aws.requests.of(service)
  for (const request of received) {
    t.match(request, { method: 'POST', path: '/recommendations' })
    hasSdkHeaders(t, request.headers, { 'content-type': 'application/json' })
  }
  t.strictSame(received.map(({ body }) => body), [
    {
      recommenderArn: recommender,
      userId: 'user-1',
      numResults: 4,
      filterArn: arn('filter/in-stock'),
      context: { DEVICE: 'tv' },
      metadataColumns: { ITEMS: ['NAME'] },
      promotions
    },
    { recommenderArn: recommender, userId: 'user-1', itemId: 'item-3', numResults: 4, promotions }
  ])
})

t.test('a recommender ranks nothing, and the ARN of a campaign makes it one', async t => {
  const document = (action: string, variation: object): string => JSON.stringify({ namespaces: { shop: { recommenders: { [action]: { r: { variations: { v: variation } } } } } } })
  t.throws(() => parseConfig(document('rerank-items', variation), 'test'), {
    name: 'ConfigError',
    findings: [{ pointer: '/namespaces/shop/recommenders/rerank-items/r/variations/v/type', message: /does not answer rerank-items; it answers recommend-items, related-items$/ }]
  })
  const { namespaces } = parseConfig(document('rerank-items', { ...variation, arn: arn('campaign/c') }), 'test')
  t.equal(namespaces['shop']?.recommenders?.['rerank-items']?.['r']?.variations?.['v']?.type, 'personalize-campaign')
  t.throws(() => parseConfig(document('recommend-items', { ...variation, arn: arn('dataset/d') }), 'test'), {
    name: 'ConfigError',
    findings: [{ pointer: '/namespaces/shop/recommenders/recommend-items/r/variations/v/arn', message: /recommender/ }]
  })
})
