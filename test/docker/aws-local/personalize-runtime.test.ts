import {
  GetPersonalizedRankingCommand, GetRecommendationsCommand, PersonalizeRuntimeClient, type GetPersonalizedRankingCommandInput,
  type GetRecommendationsCommandInput
} from '@aws-sdk/client-personalize-runtime'
import t from 'tap'
import { arn, start } from './start.ts'

const campaignArn = arn('campaign/user-personalization')
const recommenderArn = arn('recommender/recommended-for-you')
const filterArn = arn('filter/include-categories')
const ids = (count: number): string[] => Array.from({ length: count }, (_, i) => `item-${i + 1}`)

const { aws, config } = await start(t)
const client = new PersonalizeRuntimeClient(config)
t.teardown(() => client.destroy())

t.test('recommends items for a user, 25 unless told', async t => {
  const { itemList = [], recommendationId } = await client.send(new GetRecommendationsCommand({ campaignArn, userId: 'user-1' }))
  t.equal(itemList.length, 25)
  t.match(itemList[0], { itemId: /^item-\d+$/, score: Number })
  t.match(recommendationId, /^RID-[0-9a-f-]{36}$/)
})

t.test('recommends other items to other users', async t => {
  const [one, other] = await Promise.all(['user-1', 'user-2'].map(async userId => client.send(new GetRecommendationsCommand({ recommenderArn, userId, numResults: 5 }))))
  t.equal(one!.itemList?.length, 5)
  t.notSame(one!.itemList, other!.itemList)
})

t.test('finds items related to an item', async t => {
  const { itemList = [] } = await client.send(new GetRecommendationsCommand({ campaignArn: arn('campaign/similar-items'), itemId: 'item-42', numResults: 3 }))
  t.equal(itemList.length, 3)
  t.notOk(itemList.some(({ itemId }) => itemId === 'item-42'))
})

t.test('gives metadata in lower camel case and as text', async t => {
  const metadataColumns = { ITEMS: ['NAME', 'PRICE', 'IN_STOCK', 'NO_SUCH'] }
  const { itemList = [] } = await client.send(new GetRecommendationsCommand({ campaignArn, userId: 'user-1', numResults: 2, metadataColumns }))
  for (const { metadata } of itemList) t.strictSame(Object.keys(metadata ?? {}).sort(), ['inStock', 'name', 'price'])
  t.match(itemList[0]?.metadata?.['price'], /^[\d.]+$/)
  t.match(itemList[0]?.metadata?.['inStock'], /^(true|false)$/)
})

t.test('marks the share of a promotion', async t => {
  const promotions = [{ name: 'sale', percentPromotedItems: 40, filterArn, filterValues: { CATEGORIES: '"music","travel"' } }]
  const { itemList = [] } = await client.send(new GetRecommendationsCommand({ campaignArn, userId: 'user-1', numResults: 5, promotions }))
  t.strictSame(itemList.map(({ promotionName }) => promotionName), ['sale', 'sale', undefined, undefined, undefined])
})

t.test('reranks what it is given, all of it', async t => {
  const inputList = ['item-9', 'nothing', 'item-1', 'item-17']
  const input = { campaignArn, userId: 'user-1', inputList, metadataColumns: { ITEMS: ['CATEGORY'] } }
  const { personalizedRanking = [], recommendationId } = await client.send(new GetPersonalizedRankingCommand(input))
  t.strictSame(personalizedRanking.map(({ itemId }) => itemId).sort(), [...inputList].sort())
  t.equal(personalizedRanking.at(-1)?.itemId, 'nothing')
  t.match(personalizedRanking[0]?.metadata, { category: String })
  t.match(recommendationId, /^RID-/)
})

const badRecommendations: Record<string, GetRecommendationsCommandInput> = {
  'no ARN': { userId: 'u' },
  'both ARNs': { campaignArn, recommenderArn, userId: 'u' },
  'an ARN of another kind': { campaignArn: recommenderArn, userId: 'u' },
  'neither a user nor an item': { campaignArn },
  'no results': { campaignArn, userId: 'u', numResults: 0 },
  'too many results': { campaignArn, userId: 'u', numResults: 501 },
  'too many results with metadata': { campaignArn, userId: 'u', numResults: 51, metadataColumns: { ITEMS: ['NAME'] } },
  'too many columns': { campaignArn, userId: 'u', metadataColumns: { ITEMS: ids(11) } },
  'columns of users': { campaignArn, userId: 'u', metadataColumns: { USERS: ['AGE'] } },
  'too many context keys': { campaignArn, userId: 'u', context: Object.fromEntries(ids(151).map(id => [id.replace('-', '_'), 'x'])) },
  'a context value too long': { campaignArn, userId: 'u', context: { DEVICE: 'x'.repeat(1001) } },
  'a context key of other characters': { campaignArn, userId: 'u', context: { 'the device': 'x' } },
  'too many filter values': { campaignArn, userId: 'u', filterArn, filterValues: Object.fromEntries(ids(26).map(id => [id.replace('-', '_'), '1'])) },
  'filter values without a filter': { campaignArn, userId: 'u', filterValues: { CATEGORIES: '"music"' } },
  'a filter value without quotes': { campaignArn, userId: 'u', filterArn, filterValues: { CATEGORIES: 'music' } },
  'a promotion of more than all': { campaignArn, userId: 'u', promotions: [{ name: 'sale', percentPromotedItems: 101 }] }
}

for (const [what, input] of Object.entries(badRecommendations)) {
  t.test(`refuses a request for recommendations with ${what}`, async t => {
    await t.rejects(client.send(new GetRecommendationsCommand(input)), { name: 'InvalidInputException', $metadata: { httpStatusCode: 400 } })
  })
}

const badRankings: Record<string, Partial<GetPersonalizedRankingCommandInput>> = {
  'no user': { campaignArn, inputList: ids(2) },
  'no items': { campaignArn, userId: 'u', inputList: [] },
  'too many items': { campaignArn, userId: 'u', inputList: ids(501) },
  'too many items with metadata': { campaignArn, userId: 'u', inputList: ids(51), metadataColumns: { ITEMS: ['NAME'] } }
}

for (const [what, input] of Object.entries(badRankings)) {
  t.test(`refuses a request for a ranking with ${what}`, async t => {
    const command = new GetPersonalizedRankingCommand(input as GetPersonalizedRankingCommandInput)
    await t.rejects(client.send(command), { name: 'InvalidInputException', $metadata: { httpStatusCode: 400 } })
  })
}

t.test('takes the most of everything', async t => {
  const { itemList } = await client.send(new GetRecommendationsCommand({ campaignArn, userId: 'user-1', numResults: 500 }))
  t.ok(itemList!.length > 200, 'all there are')
  const { personalizedRanking } = await client.send(new GetPersonalizedRankingCommand({ campaignArn, userId: 'user-1', inputList: ids(500) }))
  t.equal(personalizedRanking?.length, 500)
  t.ok(aws.requests.of('personalize-runtime').length > 2)
})
