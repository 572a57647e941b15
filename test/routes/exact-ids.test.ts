import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openCatalog } from '../../src/metadata/catalog.ts'
import { pointAwsAt } from '../support/aws.ts'
import { startHttpRecommender, type HttpRecommender } from '../support/http-recommender.ts'
import { ask, itemsOf, startShop, type Answer } from '../support/shop.ts'

const resilience = { retries: 0, timeout: 5000, breaker: { failures: 1000 } }
const functionArn = 'arn:aws:lambda:us-east-1:123456789012:function:f'

/** Ids that are numbers, as a provider may write them. No two are the same id. */
const numbers = ['15793596764604417', '15793596764604418', '15793596764604416', '1.0', '1', '1.00', '-0', '0', '1e2', '100', '12345678901234567890', '0.10', '4503599627370497']

const list = (entries: string[], name = 'itemList'): string => `{"${name}":[${entries.join(',')}]}`
const items = (ids: string[], name?: string): string => list(ids.map(id => `{"itemId":${id},"score":1.0}`), name)

/** Starts a gateway in front of a provider that sends the given text. All AWS services are this provider. */
async function start (t: Test, variation: (server: HttpRecommender) => object, more: object = {}): Promise<(text: string, action?: string) => Promise<Answer>> {
  const server = await startHttpRecommender(t)
  pointAwsAt(t, server.url)
  const config = { variations: { v: variation(server) }, resilience, ...more }
  const app = await startShop(t, { 'recommend-items': { r: config }, 'related-items': { r: config }, 'rerank-items': { r: config } })
  return async (text, action = 'recommend-items') => {
    server.answer(() => ({ body: text }))
    return ask(app, action === 'rerank-items' ? '/rerank-items/shop/r/u/a,b?numResults=50' : `/${action}/shop/r/u?numResults=50`)
  }
}

const providers: Record<string, (server: HttpRecommender) => object> = {
  http: ({ url }) => ({ type: 'http', url }),
  sagemaker: () => ({ type: 'sagemaker', endpointName: 'e' }),
  lambda: () => ({ type: 'lambda', arn: functionArn })
}

for (const [type, variation] of Object.entries(providers)) {
  t.test(`exact ids: a number keeps its digits as an id, from ${type}`, async t => {
    const answer = await start(t, variation)
    for (const action of ['recommend-items', 'related-items']) {
      t.strictSame(itemsOf(await answer(items(numbers), action)), numbers, action)
      t.strictSame(itemsOf(await answer(list(numbers), action)), numbers, 'bare ids')
    }
    t.strictSame(itemsOf(await answer(items(numbers.slice(0, 2), 'personalizedRanking'), 'rerank-items')), numbers.slice(0, 2))
    const spaced = await answer('{ "itemList" : [\n{ "score" : 1.50 ,\t"itemId" :\n 15793596764604417 } ] , "recommendationId" : 15793596764604419 }')
    t.strictSame(itemsOf(spaced), ['15793596764604417'])
    t.equal(spaced.body['recommendationId'], '15793596764604419')
  })
}

t.test('exact ids: what a text says is not taken for a number', async t => {
  const answer = await start(t, providers['http']!)
  const ids = ['a:1.0', '[1.0', ', 15793596764604417', '{"itemId":1.0}', '"', '\\', 'é\u2028']
  t.strictSame(itemsOf(await answer(items([...ids.map(id => JSON.stringify(id)), '2.0']))), [...ids, '2.0'])
  t.strictSame(itemsOf(await answer('{"itemList":[{"itemId":"x","itemId":1.0,"__proto__":{"itemId":"y"}}]}')), ['1.0'], 'the last of equal keys counts, as in JSON.parse')
})

t.test('exact ids: further numbers of an answer keep their digits, too', async t => {
  const server = await startHttpRecommender(t)
  server.answer(() => ({ body: '{"itemList":[{"itemId":"a","score":1.0,"group":15793596764604417,"deep":[{"price":1.50}]}],"trackingToken":15793596764604419}' }))
  const app = await startShop(t, { 'recommend-items': { r: { variations: { v: { type: 'http', url: server.url } } } } })
  t.equal((await app.inject('/recommend-items/shop/r/u')).body.replace(/"recommendationId":"[\w-]{40}",/, ''), '{"itemList":[{"itemId":"a","score":1.0,"group":15793596764604417,"deep":[{"price":1.50}]}],"trackingToken":15793596764604419}')
})

t.test('exact ids: what is no id is refused', async t => {
  const answer = await start(t, providers['http']!)
  for (const id of ['true', 'null', '{}', '[]', '""', '[1.0]']) t.match(await answer(items(['"a"', id])), { status: 502, body: { code: 'HttpInvalidAnswer' } }, id)
  t.match(await answer(list(['""'])), { status: 502 })
  for (const text of ['{"itemList":[{"itemId":01}]}', '{"itemList":[{"itemId":1.}]}', '{"itemList":[{"itemId":+1}]}', '{"itemList":[1.0,]}']) {
    t.match(await answer(text), { status: 502, body: { code: 'HttpInvalidAnswer' } }, text)
  }
})

t.test('exact ids: JSONata sees them as they were sent', async t => {
  const mapped = async (response: string): ReturnType<typeof start> => start(t, ({ url }) => ({ type: 'http', url, response }))
  const hits = `{"hits":[${numbers.map((id, i) => `{"pk":${id},"s":${i === 0 ? '1.0' : `0.${99 - i}0`}}`).join(',')}]}`
  for (const response of ['{"itemList": hits.{"itemId": pk, "score": s}}', '{"itemList": hits.pk}', '{"itemList": hits^(>s).{"itemId": $string(pk), "score": s * 2}}']) {
    const answer = await mapped(response)
    t.strictSame(itemsOf(await answer(hits)), numbers, response)
  }
  const prefixed = await mapped('{"itemList": hits.{"itemId": "p-" & pk}}')
  t.strictSame(itemsOf(await prefixed(hits)), numbers.map(id => `p-${id}`))
  const joined = await mapped('{"itemList": [hits[$string(pk) = "15793596764604418"].{"itemId": pk}]}')
  t.strictSame(itemsOf(await joined(hits)), ['15793596764604418'])
})

t.test('exact ids: scores in a mapping stay numbers, and small ids are not taken for scores', async t => {
  const answer = await start(t, ({ url }) => ({ type: 'http', url, response: '{"itemList": hits[s >= 0.5]^(>s).{"itemId": pk, "score": s * 10}}' }))
  const { body } = await answer('{"hits":[{"pk":1,"s":0.50},{"pk":2,"s":1.0},{"pk":"item-1","s":1.0},{"pk":10,"s":1e0},{"pk":5,"s":0.10}]}')
  t.strictSame(body['itemList'], [{ itemId: '2', score: 10 }, { itemId: 'item-1', score: 10 }, { itemId: '10', score: 10 }, { itemId: '1', score: 5 }])
})

t.test('exact ids: a number whose digits are lost is an invalid answer that names it', async t => {
  const refusals: Array<[string, string, string]> = [
    ['{"itemList": [hits.{"itemId": $number(pk)}]}', '{"hits":[{"pk":15793596764604417}]}', '15793596764604416'],
    ['{"itemList": [hits[pk = 1].{"itemId": pk}]}', '{"hits":[{"pk":1.0},{"pk":1}]}', '1.0']
  ]
  for (const [response, text, number] of refusals) {
    const answer = await start(t, ({ url }) => ({ type: 'http', url, response }))
    const { status, body } = await answer(text)
    t.equal(status === 502 ? String(body['message']).includes(`the number ${number} `) : JSON.stringify(body), true, `${response}: ${JSON.stringify(body)}`)
  }
  // The SDK of Amazon Personalize parses the answer.
  const campaign = await start(t, () => ({ type: 'personalize-campaign', arn: 'arn:aws:personalize:us-east-1:123456789012:campaign/c' }))
  for (const id of ['1.0', '7', '15793596764604417']) {
    t.match(await campaign(items(['"a"', id])), { status: 502, body: { code: 'PersonalizeInvalidAnswer', message: /the number \d+ as the id of an item/ } }, id)
  }
})

t.test('exact ids: a post-processor answers them, and gets what was sent', async t => {
  const server = await startHttpRecommender(t)
  pointAwsAt(t, server.url)
  const config = { variations: { v: { type: 'http', url: `${server.url}/origin` } }, responsePostProcessor: { type: 'lambda', arn: functionArn }, resilience }
  const app = await startShop(t, { 'recommend-items': { r: config } })
  server.answer(({ path }) => ({ body: path === '/origin' ? items(numbers.slice(0, 4)) : items(numbers.slice(0, 4).reverse()) }))
  t.strictSame(itemsOf(await ask(app, '/recommend-items/shop/r/u')), numbers.slice(0, 4).reverse())
  const { response } = server.received.at(-1)!.body as { response: { itemList: Array<{ itemId: string }> } }
  t.strictSame(response.itemList.map(({ itemId }) => itemId), numbers.slice(0, 4))
})

t.test('exact ids: each is decorated with its own metadata', async t => {
  const server = await startHttpRecommender(t)
  const app = await startShop(t, { 'recommend-items': { r: { variations: { v: { type: 'http', url: server.url } } } } }, { inferenceItemMetadata: { type: 'localdb' } })
  const payload = { items: numbers.slice(0, 4).map(itemId => ({ itemId, properties: { title: `of ${itemId}` } })) }
  t.equal((await app.inject({ method: 'POST', url: '/items/shop', payload })).statusCode, 200)
  server.answer(() => ({ body: items(numbers.slice(0, 4)) }))
  const { body } = await ask(app, '/recommend-items/shop/r/u')
  t.match(body['itemList'], numbers.slice(0, 4).map(itemId => ({ itemId, metadata: { title: `of ${itemId}` } })))
  // As imports keep them.
  const file = join(t.testdir(), 'items.jsonl')
  writeFileSync(file, '{"id":15793596764604417}\n{"id":1.0}\n')
  const imported: string[] = []
  for await (const batch of (await openCatalog(file)).items()) imported.push(...batch.map(({ itemId }) => itemId))
  t.strictSame(imported, ['15793596764604417', '1.0'])
})
