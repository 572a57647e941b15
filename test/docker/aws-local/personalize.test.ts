import {
  DescribeCampaignCommand, DescribeDatasetCommand, DescribeEventTrackerCommand, DescribeFilterCommand, DescribeRecommenderCommand,
  DescribeSchemaCommand, DescribeSolutionCommand, DescribeSolutionVersionCommand, ListCampaignsCommand, ListDatasetGroupsCommand,
  ListDatasetsCommand, ListEventTrackersCommand, ListFiltersCommand, ListRecommendersCommand, ListSolutionsCommand,
  paginateListDatasetGroups, PersonalizeClient
} from '@aws-sdk/client-personalize'
import t from 'tap'
import { arn, start } from './start.ts'

const datasetGroupArn = arn('dataset-group/my-store')
const { aws, config } = await start(t)
const client = new PersonalizeClient(config)
t.teardown(() => client.destroy())

t.test('lists dataset groups', async t => {
  const { datasetGroups } = await client.send(new ListDatasetGroupsCommand({}))
  t.match(datasetGroups, [{ name: 'my-store', datasetGroupArn, domain: 'ECOMMERCE', status: 'ACTIVE', creationDateTime: Date }])
})

t.test('lists and describes recommenders', async t => {
  const { recommenders = [] } = await client.send(new ListRecommendersCommand({ datasetGroupArn }))
  t.strictSame(recommenders.map(({ name }) => name), ['recommended-for-you', 'also-viewed'])
  const { recommender } = await client.send(new DescribeRecommenderCommand({ recommenderArn: recommenders[0]!.recommenderArn }))
  t.match(recommender, { recipeArn: 'arn:aws:personalize:::recipe/aws-ecomm-recommended-for-you', recommenderConfig: { minRecommendationRequestsPerSecond: 1 } })
})

t.test('lists campaigns by their solutions', async t => {
  const { solutions = [] } = await client.send(new ListSolutionsCommand({ datasetGroupArn }))
  t.equal(solutions.length, 3)
  const { solutionArn } = solutions[2]!
  const { campaigns = [] } = await client.send(new ListCampaignsCommand({ solutionArn }))
  t.strictSame(campaigns.map(({ name }) => name), ['personalized-ranking'])
  t.notOk('minProvisionedTPS' in campaigns[0]!, 'a list leaves the details out')
  const { campaign } = await client.send(new DescribeCampaignCommand({ campaignArn: campaigns[0]!.campaignArn }))
  t.equal(campaign?.minProvisionedTPS, 1)
  const { solutionVersion } = await client.send(new DescribeSolutionVersionCommand({ solutionVersionArn: campaign!.solutionVersionArn }))
  const { solution } = await client.send(new DescribeSolutionCommand({ solutionArn }))
  t.match(solution, { recipeArn: 'arn:aws:personalize:::recipe/aws-personalized-ranking-v2', datasetGroupArn })
  t.match(solutionVersion, { recipeArn: solution!.recipeArn, datasetGroupArn })
})

t.test('knows event trackers and filters', async t => {
  const { eventTrackers } = await client.send(new ListEventTrackersCommand({ datasetGroupArn }))
  const { eventTracker } = await client.send(new DescribeEventTrackerCommand({ eventTrackerArn: eventTrackers![0]!.eventTrackerArn }))
  t.match(eventTracker?.trackingId, /^[0-9a-f-]{36}$/)
  const { Filters } = await client.send(new ListFiltersCommand({ datasetGroupArn }))
  const { filter } = await client.send(new DescribeFilterCommand({ filterArn: Filters![1]!.filterArn }))
  t.match(filter?.filterExpression, /\$CATEGORIES/)
})

t.test('knows datasets and their schemas', async t => {
  const { datasets = [] } = await client.send(new ListDatasetsCommand({ datasetGroupArn }))
  t.strictSame(datasets.map(({ datasetType }) => datasetType), ['INTERACTIONS', 'ITEMS', 'USERS'])
  const { dataset } = await client.send(new DescribeDatasetCommand({ datasetArn: datasets[1]!.datasetArn }))
  const { schema } = await client.send(new DescribeSchemaCommand({ schemaArn: dataset!.schemaArn }))
  const { fields } = JSON.parse(schema!.schema!) as { fields: Array<{ name: string }> }
  t.strictSame(fields.map(({ name }) => name), ['ITEM_ID', 'NAME', 'CATEGORY', 'PRICE', 'RATING', 'IN_STOCK'])
})

t.test('refuses what it does not know', async t => {
  await t.rejects(client.send(new DescribeFilterCommand({ filterArn: arn('filter/other') })), { name: 'ResourceNotFoundException' })
  await t.rejects(client.send(new ListRecommendersCommand({ datasetGroupArn: arn('dataset-group/other') })), { name: 'ResourceNotFoundException' })
  await t.rejects(client.send(new ListDatasetGroupsCommand({ nextToken: 'other' })), { name: 'InvalidNextTokenException' })
  await t.rejects(client.send(new ListDatasetGroupsCommand({ maxResults: 101 })), { name: 'InvalidInputException' })
  await t.rejects(client.send(new ListDatasetGroupsCommand({ maxResults: 0 })), { name: 'InvalidInputException' })
})

t.test('lists page by page, in a world of one\'s own', async t => {
  t.teardown(async () => aws.worlds.set({ datasetGroups: [] }))
  aws.worlds.set({ datasetGroups: Array.from({ length: 5 }, (_, i) => ({ name: `group-${i}` })) })
  const pages: Array<string[]> = []
  for await (const { datasetGroups = [] } of paginateListDatasetGroups({ client, pageSize: 2 }, {})) pages.push(datasetGroups.map(({ name }) => name!))
  t.strictSame(pages, [['group-0', 'group-1'], ['group-2', 'group-3'], ['group-4']])
})
