import t from 'tap'
import { arn } from '../docker/aws-local/start.ts'
import { startAws } from '../support/aws.ts'
import { startHttpRecommender } from '../support/http-recommender.ts'
import { ask, cacheControl, itemsOf, startShop } from '../support/shop.ts'

const functionArn = 'arn:aws:lambda:us-east-1:123456789012:function:shuffle'
const responsePostProcessor = { type: 'lambda', arn: functionArn }
const campaign = { type: 'personalize-campaign', arn: arn('campaign/c') }
const resilience = { retries: 0, timeout: 2000, breaker: { failures: 1000 } }

interface Payload {
  action: string
  response: { itemList?: Array<{ itemId: string }>, personalizedRanking?: Array<{ itemId: string }> }
}

t.test('the function gets the payload of the sample, and what it answers is the answer', async t => {
  const received: Payload[] = []
  const { aws } = await startAws(t, {
    newId: () => 'same',
    functions: {
      shuffle (payload) {
        received.push(payload as Payload)
        const { itemList, personalizedRanking, ...rest } = (payload as Payload).response
        const marked = (items: Array<{ itemId: string }>): object[] => items.toReversed().map(item => ({ ...item, reason: ['shuffled'] }))
        return itemList === undefined ? { personalizedRanking: marked(personalizedRanking!), ...rest } : { itemList: marked(itemList), ...rest }
      }
    }
  })
  const config = { name: 'Home', responsePostProcessor, variations: { v: campaign }, resilience }
  const app = await startShop(t, { 'recommend-items': { r: config }, 'related-items': { r: config }, 'rerank-items': { r: config } })
  // What is inherited from the root goes along.
  const variation = { ...campaign, cacheControl }
  const common = { version: '1.0', recommender: { path: 'r', config: { ...config, cacheControl, variations: { v: variation } } }, variation }
  const items = (payload: Payload): string[] => (payload.response.itemList ?? payload.response.personalizedRanking)!.map(({ itemId }) => itemId)

  const recommended = await ask(app, '/recommend-items/shop/r/user-1?numResults=3&context={"DEVICE":"tv"}')
  const related = await ask(app, '/related-items/shop/r/item-3?numResults=3&userId=user-1')
  const ranked = await ask(app, '/rerank-items/shop/r/user-1/item-2,item-9,item-5')
  for (const [i, answer] of [recommended, related, ranked].entries()) {
    t.equal(answer.status, 200)
    t.strictSame(itemsOf(answer), items(received[i]!).reverse())
    t.equal(answer.body['recommendationId'], 'RID-same')
    t.match(answer.body['itemList'] ?? answer.body['personalizedRanking'], [{ reason: ['shuffled'], score: Number }])
  }
  const [first, second, third] = received
  t.strictSame(first, { ...common, action: 'recommend-items', userId: 'user-1', response: { itemList: first!.response.itemList, recommendationId: 'RID-same' } })
  t.strictSame(second, { ...common, action: 'related-items', itemId: 'item-3', response: { itemList: second!.response.itemList, recommendationId: 'RID-same' } })
  t.strictSame(third, { ...common, action: 'rerank-items', userId: 'user-1', response: { personalizedRanking: third!.response.personalizedRanking, recommendationId: 'RID-same' } })
  t.match(aws.requests.of('lambda')[0], { method: 'POST', path: `/2015-03-31/functions/${encodeURIComponent(functionArn)}/invocations` })
})

t.test('more is asked for than was wanted, within limits, and never more is answered than was asked', async t => {
  const received: Payload[] = []
  const { aws } = await startAws(t, {
    functions: {
      shuffle (payload) {
        received.push(payload as Payload)
        return (payload as Payload).response
      }
    }
  })
  const look = (more: object): object => ({ responsePostProcessor: { ...responsePostProcessor, ...more }, variations: { v: campaign }, resilience })
  const recommenders = {
    plain: look({}),
    double: look({ lookAheadMultiplier: 2 }),
    half: look({ lookAheadMultiplier: 1.5 }),
    most: look({ lookAheadMultiplier: 4, lookAheadMaximumValue: 20 }),
    far: look({ lookAheadMultiplier: 500 })
  }
  const app = await startShop(t, { 'recommend-items': recommenders, 'related-items': recommenders, 'rerank-items': recommenders })
  const expected: Array<[keyof typeof recommenders, number, number]> = [['plain', 10, 10], ['double', 10, 20], ['half', 5, 7], ['most', 3, 12], ['most', 10, 20], ['most', 30, 20], ['far', 2, 500], ['double', 500, 500]]
  for (const [name, numResults, asked] of expected) {
    for (const path of [`recommend-items/shop/${name}/user-1`, `related-items/shop/${name}/item-3`]) {
      const answer = await ask(app, `/${path}?numResults=${numResults}`)
      t.equal(answer.status, 200)
      t.match(aws.requests.of('personalize-runtime').at(-1)!.body, { numResults: asked }, `${name} asks for ${asked} where ${numResults} are wanted`)
      t.strictSame(itemsOf(answer), received.at(-1)!.response.itemList!.slice(0, numResults).map(({ itemId }) => itemId))
    }
  }
  await ask(app, '/rerank-items/shop/far/user-1/item-1,item-2')
  t.match(aws.requests.of('personalize-runtime').at(-1)!.body, { inputList: ['item-1', 'item-2'] }, 'a list to rerank is what it is')
})

t.test('a function may drop and add items, and has no more than its place', async t => {
  await startAws(t, { functions: { shuffle: payload => ({ itemList: [{ itemId: 'ad', promotionName: 'ad' }, ...(payload as Payload).response.itemList!.slice(-2)] }) } })
  const app = await startShop(t, { 'recommend-items': { r: { responsePostProcessor: { ...responsePostProcessor, lookAheadMultiplier: 3 }, variations: { v: campaign }, resilience } } })
  const four = await ask(app, '/recommend-items/shop/r/user-1?numResults=4')
  t.equal(itemsOf(four).length, 3)
  t.match(four.body['itemList'], [{ itemId: 'ad', promotionName: 'ad' }])
  t.strictSame(itemsOf(await ask(app, '/recommend-items/shop/r/user-1?numResults=1')), ['ad'])
})

t.test('a function that fails is told as a function that fails', async t => {
  const { aws } = await startAws(t)
  const app = await startShop(t, { 'recommend-items': { r: { responsePostProcessor, variations: { v: campaign }, resilience: { ...resilience, timeout: 300 } } } })
  const failures = [
    ['function-error', 502, 'FunctionInvalidAnswer'], ['wrong-shape', 502, 'FunctionInvalidAnswer'], ['truncated-json', 502, 'FunctionInvalidAnswer'], ['403', 502, 'FunctionRefused'],
    ['404', 502, 'FunctionRefused'], ['429', 429, 'FunctionThrottled'], ['500', 503, 'FunctionUnavailable'], ['reset', 503, 'FunctionUnavailable'], ['hang', 504, 'FunctionTimeout']
  ] as const
  for (const [failure, status, code] of failures) {
    aws.behaviours.set('lambda', { failure })
    t.match(await ask(app, '/recommend-items/shop/r/user-1'), { status, body: { type: 'Function', code } }, failure)
  }
})

t.test('an answer in the place of a provider that hangs is not lost for want of time', async t => {
  const server = await startHttpRecommender(t)
  server.misbehave('hang')
  await startAws(t)
  const variations = { remote: { type: 'http', url: server.url }, house: { type: 'embedded' } }
  const timeout = 100
  const app = await startShop(t, {
    'recommend-items': {
      hedged: { responsePostProcessor, variations, resilience: { timeout, hedge: 'house' } },
      'fallen-back': { responsePostProcessor, variations, fallback: ['house'], resilience: { timeout } }
    }
  })
  for (const name of ['hedged', 'fallen-back']) {
    const { status, headers, body } = await ask(app, `/recommend-items/shop/${name}/user-1`)
    t.equal(status, 200, `${name}: ${JSON.stringify(body)}`)
    t.match(headers, { 'x-personalization-variation': 'house', 'x-personalization-degraded': 'timeout' }, name)
  }
})

t.test('predicted ratings are left as they are', async t => {
  const server = await startHttpRecommender(t)
  server.answer(() => ({ body: { ratings: [1, 2] } }))
  const { aws } = await startAws(t)
  const app = await startShop(t, { 'predicted-ratings': { r: { responsePostProcessor, variations: { v: { type: 'http', url: server.url } }, resilience } } })
  t.match(await ask(app, '/predicted-ratings/shop/r/u?items=a,b'), { status: 200, body: { ratings: [1, 2] } })
  t.equal(aws.requests.of('lambda').length, 0)
})
