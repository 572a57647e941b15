import t from 'tap'
import { parseConfig } from '../../src/config/parse.ts'
import { arn } from '../docker/aws-local/start.ts'
import { pointAwsAt, startAws } from '../support/aws.ts'
import { startHttpRecommender } from '../support/http-recommender.ts'
import { ask, itemsOf, shopDocument, startShop } from '../support/shop.ts'

const service = 'personalize-runtime'
const itemColumns = ['NAME', 'CATEGORY']
const withMetadata = { inferenceItemMetadata: { type: 'personalize', itemColumns } }
const resilience = { retries: 0, breaker: { failures: 1000 }, timeout: 5000 }
const campaign = { variations: { v: { type: 'personalize-campaign', arn: arn('campaign/c') } }, resilience }
const recommender = { variations: { v: { type: 'personalize-recommender', arn: arn('recommender/r') } }, resilience }
const ids = (count: number): string[] => Array.from({ length: count }, (_, i) => `item-${i + 1}`)

t.test('metadata of Amazon Personalize comes with the items', async t => {
  const { aws } = await startAws(t)
  const app = await startShop(t, { 'recommend-items': { r: campaign, d: recommender }, 'related-items': { r: campaign }, 'rerank-items': { r: campaign } }, withMetadata)
  for (const url of ['/recommend-items/shop/r/user-1?numResults=50', '/recommend-items/shop/d/user-1?numResults=50', '/related-items/shop/r/item-3?numResults=50', `/rerank-items/shop/r/user-1/${ids(50).join(',')}`]) {
    const answer = await ask(app, url)
    t.equal(answer.status, 200, url)
    t.equal(itemsOf(answer).length, 50)
    t.match((answer.body['itemList'] ?? answer.body['personalizedRanking']), [{ metadata: { name: String, category: String } }])
    t.match(aws.requests.of(service).at(-1)!.body, { metadataColumns: { ITEMS: itemColumns } })
  }
})

t.test('more items than come with metadata are refused in words of ours, before anything is sent', async t => {
  const { aws } = await startAws(t)
  const fallback = { ...campaign, variations: { ...campaign.variations, house: { type: 'embedded' } }, fallback: ['house'] }
  const app = await startShop(t, { 'recommend-items': { r: campaign, d: recommender, fallback }, 'related-items': { r: campaign }, 'rerank-items': { r: campaign } }, withMetadata)
  const refused = (name: string): object => ({
    status: 400,
    body: { type: 'Personalize', code: 'PersonalizeBadRequest', message: `${name}: expected at most 50 items where Amazon Personalize brings their metadata; ask with decorateItems=false for more` }
  })
  for (const numResults of [51, 500]) {
    for (const path of ['recommend-items/shop/r/user-1', 'recommend-items/shop/d/user-1', 'recommend-items/shop/fallback/user-1', 'related-items/shop/r/item-1']) {
      t.match(await ask(app, `/${path}?numResults=${numResults}`), refused('numResults'), path)
    }
  }
  t.match(await ask(app, `/rerank-items/shop/r/user-1/${ids(51).join(',')}`), refused('itemIds'))
  t.match(await ask(app, '/rerank-items/shop/r/user-1', ids(500)), refused('itemIds'))
  t.strictSame(aws.requests.of(service), [])
})

t.test('without decoration there may be more, and no metadata is asked for', async t => {
  const { aws } = await startAws(t)
  const app = await startShop(t, { 'recommend-items': { r: campaign }, 'rerank-items': { r: campaign } }, withMetadata)
  const answer = await ask(app, '/recommend-items/shop/r/user-1?numResults=120&decorateItems=false')
  t.equal(answer.status, 200)
  t.ok(itemsOf(answer).length > 50)
  t.notOk(JSON.stringify(answer.body).includes('metadata'))
  t.equal((await ask(app, '/rerank-items/shop/r/user-1?decorateItems=no', ids(120))).status, 200)
  for (const { body } of aws.requests.of(service)) t.notOk('metadataColumns' in (body as object))
})

t.test('where the metadata is of another store, the limit is the service\'s own', async t => {
  const { aws } = await startAws(t)
  const app = await startShop(t, { 'recommend-items': { r: campaign } }, { inferenceItemMetadata: { type: 'localdb' } })
  t.equal((await ask(app, '/recommend-items/shop/r/user-1?numResults=500')).status, 200)
  t.notOk('metadataColumns' in (aws.requests.of(service)[0]!.body as object))
})

t.test('looking ahead for a post-processor asks for no more than there is metadata for', async t => {
  const { aws } = await startAws(t)
  const responsePostProcessor = { type: 'lambda', arn: 'arn:aws:lambda:us-east-1:123456789012:function:f', lookAheadMultiplier: 3 }
  const app = await startShop(t, { 'recommend-items': { r: { ...campaign, responsePostProcessor } } }, withMetadata)
  const answer = await ask(app, '/recommend-items/shop/r/user-1?numResults=30')
  t.equal(answer.status, 200, JSON.stringify(answer.body))
  t.match(aws.requests.of(service).map(({ body }) => body), [{ numResults: 50 }])
  t.match(await ask(app, '/recommend-items/shop/r/user-1?numResults=30&decorateItems=false'), { status: 200 })
  t.match(aws.requests.of(service).at(-1)!.body, { numResults: 90 })
})

t.test('more columns than the service takes, none, and names that are none, are mistakes in the configuration', async t => {
  const message = (columns: unknown): string | undefined => {
    try {
      parseConfig(JSON.stringify(shopDocument({}, { inferenceItemMetadata: { type: 'personalize', itemColumns: columns } })), 'test')
    } catch (error) {
      const [{ pointer, message }] = (error as { findings: [{ pointer: string, message: string }] }).findings
      return `${pointer}: ${message}`
    }
  }
  const at = '/namespaces/shop/inferenceItemMetadata/itemColumns'
  const column = (_: unknown, i: number): string => `COLUMN_${i}`
  t.equal(message(Array.from({ length: 10 }, column)), undefined)
  t.match(message(Array.from({ length: 11 }, column)), new RegExp(`^${at}: expected a list.* 10 items`))
  t.match(message([]), new RegExp(`^${at}: expected a list`))
  t.match(message(['A B']), new RegExp(`^${at}/0: expected a string`))
  t.match(message('NAME'), new RegExp(`^${at}: expected a list`))
})

t.test('columns that the service does not know are told as a mistake of the configuration, without its words', async t => {
  const server = await startHttpRecommender(t)
  pointAwsAt(t, server.url)
  const variations = { ...campaign.variations, house: { type: 'embedded' } }
  const app = await startShop(t, { 'recommend-items': { r: campaign, fallback: { ...campaign, variations, fallback: ['house'] } }, 'rerank-items': { r: campaign } }, withMetadata)
  const says = ['Invalid metadataColumns: column SECRET_COLUMN does not exist in dataset arn:aws:personalize:us-east-1:123456789012:dataset/secret/ITEMS', 'Metadata is not enabled for this campaign']
  for (const text of says) {
    server.answer(() => ({ status: 400, headers: { 'content-type': 'application/json', 'x-amzn-errortype': 'InvalidInputException' }, body: { message: text } }))
    for (const path of ['/recommend-items/shop/r/user-1', '/rerank-items/shop/r/user-1/a,b']) {
      const { status, body } = await ask(app, path)
      t.match({ status, body }, { status: 502, body: { type: 'Personalize', code: 'PersonalizeRefused', message: /check itemColumns \(NAME, CATEGORY\)/ } })
      t.notMatch(JSON.stringify(body), /SECRET|arn:|not enabled for this campaign/)
    }
    const degraded = await ask(app, '/recommend-items/shop/fallback/user-1')
    t.match(degraded, { status: 200, headers: { 'x-personalization-degraded': 'refused', 'x-personalization-variation': 'house' } }, 'a fallback answers meanwhile')
  }
  // Without columns in the request such words speak of something else.
  t.match(await ask(app, '/recommend-items/shop/r/user-1?decorateItems=false'), { status: 400, body: { code: 'PersonalizeBadRequest' } })
})
