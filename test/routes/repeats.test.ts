import t from 'tap'
import { pointAwsAt } from '../support/aws.ts'
import { startHttpRecommender } from '../support/http-recommender.ts'
import { ask, itemsOf, startShop } from '../support/shop.ts'

const arn = 'arn:aws:lambda:us-east-1:123456789012:function:f'
const resilience = { retries: 0, timeout: 5000, breaker: { failures: 1000 } }
const variations = (url: string): Record<string, object> => ({
  http: { type: 'http', url: `${url}/origin` },
  lambda: { type: 'lambda', arn },
  sagemaker: { type: 'sagemaker', endpointName: 'e' },
  campaign: { type: 'personalize-campaign', arn: 'arn:aws:personalize:us-east-1:123456789012:campaign/c' },
  embedded: { type: 'embedded' }
})
const entry = (itemId: string, i: number): object => ({ itemId, score: 10 - i })

t.test('repeats of an item: the first wins, before the cut, from every provider', async t => {
  const server = await startHttpRecommender(t)
  pointAwsAt(t, server.url)
  const recommenders = Object.fromEntries(Object.entries(variations(server.url)).map(([name, v]) => [name, { variations: { v }, resilience }]))
  const app = await startShop(t, { 'recommend-items': recommenders, 'related-items': recommenders, 'rerank-items': recommenders })
  const list = ['A', 'B', 'A', 'C', 'B', 'D'].map(entry)
  server.answer(() => ({ body: { itemList: list, personalizedRanking: list } }))
  for (const name of ['http', 'lambda', 'sagemaker', 'campaign']) {
    for (const path of [`recommend-items/shop/${name}/u`, `related-items/shop/${name}/i`]) {
      const answer = await ask(app, `/${path}?numResults=3`)
      t.strictSame(itemsOf(answer), ['A', 'B', 'C'], path)
      t.match(answer.body['itemList'], [{ score: 10 }, { score: 9 }, { score: 7 }], 'the first of each')
    }
    t.strictSame(itemsOf(await ask(app, `/rerank-items/shop/${name}/u/A,B,C`)), ['A', 'B', 'C'])
  }
  server.answer(() => ({ body: { itemList: [...Array<object>(1500).fill(entry('A', 0)), entry('B', 1)] } }))
  t.strictSame(itemsOf(await ask(app, '/recommend-items/shop/http/u?numResults=2')), ['A', 'B'], 'however many they are')
})

t.test('repeats of an item that a post-processor makes: the first wins, before the cut', async t => {
  const server = await startHttpRecommender(t)
  pointAwsAt(t, server.url)
  const app = await startShop(t, { 'recommend-items': { r: { variations: { v: variations(server.url)['http']! }, responsePostProcessor: { type: 'lambda', arn }, resilience } } })
  server.answer(({ path }) => ({ body: { itemList: path === '/origin' ? ['A', 'A', 'B'].map(entry) : ['B', 'A', 'B', 'B', 'C'].map(entry) } }))
  t.strictSame(itemsOf(await ask(app, '/recommend-items/shop/r/u?numResults=3')), ['B', 'A', 'C'])
  t.match(server.received.at(-1)!.body, { response: { itemList: [{ itemId: 'A' }, { itemId: 'B' }] } })
  t.equal((server.received.at(-1)!.body as { response: { itemList: object[] } }).response.itemList.length, 2, 'it gets each item once')
})

t.test('repeats in a list to rerank: each id is asked for and answered once', async t => {
  const server = await startHttpRecommender(t)
  pointAwsAt(t, server.url)
  const recommenders = Object.fromEntries(Object.entries(variations(server.url)).map(([name, v]) => [name, { variations: { v }, resilience }]))
  const app = await startShop(t, { 'rerank-items': recommenders, 'predicted-ratings': { r: { variations: { v: variations(server.url)['lambda']! }, resilience } } })
  server.answer(({ body }) => {
    const { itemList, inputList } = body as { itemList?: string[], inputList?: string[] }
    return { body: { personalizedRanking: (itemList ?? inputList ?? ['b', 'a', 'b']).map(entry), ratings: [1, 2, 1] } }
  })
  for (const name of ['lambda', 'sagemaker', 'campaign', 'embedded', 'http']) {
    for (const answer of [await ask(app, `/rerank-items/shop/${name}/u/b,a,b,b`), await ask(app, `/rerank-items/shop/${name}/u`, ['b', 'a', 'b', 'b'])]) {
      t.strictSame(itemsOf(answer), ['b', 'a'], name)
    }
  }
  t.match((await ask(app, '/predicted-ratings/shop/r/u?items=b,a,b')).body, { ratings: [1, 2, 1] }, 'ratings are for each entry')
  t.match(server.received.at(-1)!.body, { itemList: ['b', 'a', 'b'] })
})
