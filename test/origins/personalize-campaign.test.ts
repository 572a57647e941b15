import t, { type Test } from 'tap'
import type { AwsLocal } from '../../docker/aws-local/app.ts'
import { originContract } from '../contracts/origin.ts'
import { arn } from '../docker/aws-local/start.ts'
import { startAws } from '../support/aws.ts'
import { openOrigin, requests } from '../support/open-origin.ts'
import { openPersonalize, promotions, service } from '../support/personalize-contract.ts'
import { hasSdkHeaders } from '../support/wire.ts'

originContract({ type: 'personalize-campaign', provider: 'Personalize', open: async t => openPersonalize(t, 'campaign') })

const signal = new AbortController().signal
const campaign = arn('campaign/for-you')
const variation = { type: 'personalize-campaign', arn: campaign }

/** The one request that the service received. */
function sent (t: Test, aws: AwsLocal, path: string): unknown {
  const [request, ...more] = aws.requests.of(service)
  t.equal(more.length, 0)
  t.match(request, { method: 'POST', path })
  hasSdkHeaders(t, request!.headers, { 'content-type': 'application/json' })
  return request!.body
}

t.test('GetRecommendations for a user', async t => {
  const { aws } = await startAws(t)
  const origin = await openOrigin(t, variation)
  await origin.recommend(requests['recommend-items'], signal)
  t.strictSame(sent(t, aws, '/recommendations'), { campaignArn: campaign, userId: 'user-1', numResults: 4 })
})

t.test('GetRecommendations for an item, with a user and without', async t => {
  const { aws } = await startAws(t)
  const origin = await openOrigin(t, variation)
  await origin.recommend(requests['related-items'], signal)
  t.strictSame(sent(t, aws, '/recommendations'), { campaignArn: campaign, itemId: 'item-3', numResults: 4 })
  aws.requests.forget()
  await origin.recommend({ ...requests['related-items'], userId: 'user-2' }, signal)
  t.strictSame(sent(t, aws, '/recommendations'), { campaignArn: campaign, itemId: 'item-3', userId: 'user-2', numResults: 4 })
})

t.test('GetPersonalizedRanking takes no promotions', async t => {
  const { aws } = await startAws(t)
  const origin = await openOrigin(t, { ...variation, promotions })
  await origin.recommend(requests['rerank-items'], signal)
  t.strictSame(sent(t, aws, '/personalize-ranking'), { campaignArn: campaign, userId: 'user-1', inputList: ['item-9', 'item-2', 'item-5'] })
})

t.test('filter, values, context, columns and promotions go along', async t => {
  const { aws } = await startAws(t)
  const origin = await openOrigin(t, { ...variation, promotions }, ['NAME', 'PRICE'])
  const more = { filter: 'in-stock', filterValues: { CATEGORY: '"camping","hiking"', PRICE: '12.5' }, context: { DEVICE: 'phone' } }
  const expected = {
    userId: 'user-1',
    filterArn: arn('filter/in-stock'),
    filterValues: more.filterValues,
    context: more.context,
    metadataColumns: { ITEMS: ['NAME', 'PRICE'] },
    campaignArn: campaign
  }
  await origin.recommend({ ...requests['recommend-items'], ...more }, signal)
  t.strictSame(sent(t, aws, '/recommendations'), { ...expected, numResults: 4, promotions })
  aws.requests.forget()
  await origin.recommend({ ...requests['rerank-items'], ...more }, signal)
  t.strictSame(sent(t, aws, '/personalize-ranking'), { ...expected, inputList: ['item-9', 'item-2', 'item-5'] })
})

t.test('without decoration no metadata is asked for', async t => {
  const { aws } = await startAws(t)
  const origin = await openOrigin(t, variation, ['NAME'])
  await origin.recommend({ ...requests['recommend-items'], decorateItems: false, numResults: 500 }, signal)
  t.strictSame(sent(t, aws, '/recommendations'), { campaignArn: campaign, userId: 'user-1', numResults: 500 })
})

t.test('the filter is the one of the campaign\'s partition, region and account', async t => {
  const { aws } = await startAws(t)
  const place = 'arn:aws-cn:personalize:cn-north-1:210987654321'
  const origin = await openOrigin(t, { ...variation, arn: `${place}:campaign/c` })
  for (const filter of ['mine', `${place}:filter/mine`]) {
    // The account of the local server is another; what matters is what was sent.
    await origin.recommend({ ...requests['recommend-items'], filter }, signal).catch(() => {})
    t.match(aws.requests.of(service).at(-1)!.body, { filterArn: `${place}:filter/mine` })
  }
})

t.test('what is no filter of there is refused before anything is sent', async t => {
  const { aws } = await startAws(t)
  const origin = await openOrigin(t, variation)
  const wrong = [
    '', '..', '../other', 'a/b', 'a b', 'ünïcode', 'x'.repeat(64), 'a\r\nb', 'a\0b', 'a:b', '*',
    arn('campaign/c'), arn('filter/'), arn('filter/a/b'), arn('filter/../campaign/c'),
    'arn:aws:personalize:us-east-1:210987654321:filter/other-account',
    'arn:aws:personalize:eu-west-1:123456789012:filter/other-region',
    'arn:aws-cn:personalize:us-east-1:123456789012:filter/other-partition'
  ]
  for (const filter of wrong) {
    const message = `filter: expected the name of a filter, or its ARN beginning with ${arn('filter/')}`
    await t.rejects(origin.recommend({ ...requests['recommend-items'], filter }, signal), { name: 'OriginError', failure: 'bad-request', message }, filter)
  }
  t.equal(aws.requests.of(service).length, 0)
})
