import t, { type Test } from 'tap'
import { parseConfig } from '../../src/config/parse.ts'
import { compile } from '../../src/plan/compile.ts'
import { pointAwsAt } from '../support/aws.ts'
import { startGateway } from '../support/gateway.ts'
import { startHttpRecommender, type HttpRecommender } from '../support/http-recommender.ts'
import { ask, cacheControl, itemsOf, startShop } from '../support/shop.ts'
import { testResources } from '../support/test-resources.ts'

const arn = 'arn:aws:lambda:us-east-1:123456789012:function:f'
const resilience = { retries: 0, timeout: 5000, breaker: { failures: 1000 } }

async function provider (t: Test): Promise<HttpRecommender> {
  const server = await startHttpRecommender(t)
  pointAwsAt(t, server.url)
  return server
}

interface Response { itemList: Array<{ itemId: string, metadata?: { stock: number } }> }

t.test('post-processor after decoration: it sees the metadata, and may filter by it', async t => {
  const server = await provider(t)
  const config = { variations: { v: { type: 'http', url: `${server.url}/origin` } }, responsePostProcessor: { type: 'lambda', arn, lookAheadMultiplier: 2 }, resilience }
  const app = await startShop(t, { 'recommend-items': { r: config } }, { inferenceItemMetadata: { type: 'localdb' } })
  const payload = { items: ['a', 'b', 'c', 'd'].map((itemId, i) => ({ itemId, properties: `{"stock":${i % 2},"ean":12345678901234567890}` })) }
  t.equal((await app.inject({ method: 'POST', url: '/items/shop', payload })).statusCode, 200)
  server.answer(({ path, body }) => {
    if (path === '/origin') return { body: { itemList: ['a', 'b', 'c', 'd', 'e'] } }
    const { itemList, ...rest } = (body as { response: Response }).response
    return { body: { itemList: itemList.filter(({ metadata }) => metadata?.stock !== 0), ...rest } }
  })
  const answer = await ask(app, '/recommend-items/shop/r/u?numResults=3')
  t.strictSame(itemsOf(answer), ['b', 'd', 'e'])
  t.match(answer.body['itemList'], [{ metadata: { stock: 1 } }, { metadata: { stock: 1 } }, {}])
  t.match((server.received.at(-1)!.body as { response: Response }).response.itemList, [{ itemId: 'a', metadata: { stock: 0 } }, { itemId: 'b' }, { itemId: 'c' }, { itemId: 'd' }, { itemId: 'e' }])

  const plain = await ask(app, '/recommend-items/shop/r/u?numResults=3&decorateItems=no')
  t.strictSame(itemsOf(plain), ['a', 'b', 'c'], 'there is none where none was asked for')
})

t.test('post-processor after decoration: a slow one holds up no other answer, however many items there are', async t => {
  const functions = await provider(t)
  const origin = await startHttpRecommender(t)
  origin.answer(() => ({ body: { itemList: Array.from({ length: 60 }, (_, i) => `item-${i}`) } }))
  const variations = { v: { type: 'http', url: origin.url } }
  const slow = { variations, responsePostProcessor: { type: 'lambda', arn }, resilience }
  const app = await startShop(t, { 'recommend-items': { slow, plain: { variations, resilience } } }, { inferenceItemMetadata: { type: 'localdb' } })
  functions.misbehave('hang')
  const held = ask(app, '/recommend-items/shop/slow/u?numResults=60')
  await functions.reached(1)
  t.equal(itemsOf(await ask(app, '/recommend-items/shop/plain/u?numResults=60')).length, 60)
  functions.answer(() => ({ body: { itemList: ['one'] } }))
  functions.release()
  t.strictSame(itemsOf(await held), ['one'])
})

t.test('post-processor after decoration: what it answers is the answer, with its own metadata', async t => {
  const server = await provider(t)
  const config = { variations: { v: { type: 'http', url: `${server.url}/origin` } }, responsePostProcessor: { type: 'lambda', arn }, resilience }
  const app = await startShop(t, { 'recommend-items': { r: config } }, { inferenceItemMetadata: { type: 'localdb' } })
  await app.inject({ method: 'POST', url: '/items/shop', payload: { items: [{ itemId: 'a', properties: { title: 'A' } }] } })
  server.answer(({ path }) => ({ body: { itemList: path === '/origin' ? ['a'] : [{ itemId: 'a', metadata: { title: 'Ad' } }, { itemId: 'new' }] } }))
  t.strictSame({ ...(await ask(app, '/recommend-items/shop/r/u')).body as object, recommendationId: '' }, { itemList: [{ itemId: 'a', metadata: { title: 'Ad' } }, { itemId: 'new' }], recommendationId: '' })
})

t.test('top-level members of an answer pass through, of every provider that can send them', async t => {
  const server = await provider(t)
  const more = { title: 'For you', trackingToken: 'abc', nested: { a: [1, null] }, matchedExperiment: { feature: 'x' } }
  server.answer(() => ({ body: { itemList: ['a'], recommendationId: 'r', ...more } }))
  const variations: Record<string, object> = { http: { type: 'http', url: server.url }, lambda: { type: 'lambda', arn }, sagemaker: { type: 'sagemaker', endpointName: 'e' }, mapped: { type: 'http', url: server.url, response: '$' } }
  const recommenders = Object.fromEntries(Object.entries(variations).map(([name, v]) => [name, { variations: { v }, resilience }]))
  const app = await startShop(t, { 'recommend-items': { ...recommenders, processed: { variations: { v: variations['http'] }, responsePostProcessor: { type: 'lambda', arn }, resilience } }, 'rerank-items': recommenders, 'predicted-ratings': recommenders })
  for (const name of [...Object.keys(variations), 'processed']) {
    t.strictSame((await ask(app, `/recommend-items/shop/${name}/u`)).body, { itemList: [{ itemId: 'a' }], recommendationId: 'r', ...more }, name)
  }
  t.match(server.received.at(-1)!.body, { response: { itemList: [{ itemId: 'a' }], ...more } }, 'a post-processor gets them')
  server.answer(() => ({ body: { personalizedRanking: ['a'], ratings: [1], ...more } }))
  for (const name of Object.keys(variations)) {
    t.match((await ask(app, `/rerank-items/shop/${name}/u/a`)).body, { personalizedRanking: [{ itemId: 'a' }], ...more }, name)
    t.match((await ask(app, `/predicted-ratings/shop/${name}/u?items=a`)).body, { ratings: [1], ...more }, name)
  }
})

t.test('the default timeout is 5 s, and the samples set shorter ones', async t => {
  const timeoutOf = async (document: object): Promise<number[]> => {
    const resources = testResources(t.testdir())
    const { plan, release } = await compile(parseConfig(JSON.stringify(document), 'test'), 1, resources)
    release()
    await resources.close()
    return [...plan.namespaces.values()].flatMap(({ recommenders }) => [...recommenders.values()].flatMap(({ variations }) => variations.map(({ timeout }) => timeout)))
  }
  const config = (more: object): object => ({ namespaces: { shop: { recommenders: { 'recommend-items': { r: { variations: { v: { type: 'http', url: 'http://127.0.0.1:1' } }, ...more } } } } } })
  t.strictSame(await timeoutOf(config({})), [5000])
  t.strictSame(await timeoutOf(config({ resilience: { retries: 0 } })), [5000])
  t.strictSame(await timeoutOf(config({ resilience: { timeout: 70 } })), [70])
  const { readFile } = await import('node:fs/promises')
  for (const sample of ['samples/config.json', 'docker/aws-config.json']) {
    t.ok((JSON.parse(await readFile(sample, 'utf8')) as { resilience: { timeout: number } }).resilience.timeout < 1000, sample)
  }
})

const filters = [{ arn: 'arn:aws:personalize:us-east-1:123456789012:filter/f' }]
const autoContext = { season: { type: 'string', rules: [{ type: 'season', valueMappings: [{ operator: 'start-with', value: '0', mapTo: 'spring' }] }] } }
const inferenceItemMetadata = { type: 'localdb', syncInterval: 300 }

t.test('payload 1.0 carries what was inherited, and everything as it was written', async t => {
  const server = await provider(t)
  server.answer(() => ({ body: { itemList: ['a'], personalizedRanking: ['a'], ratings: [1] } }))
  const own = { userSpecified: { maxAge: 1, directives: 'private' } }
  const written = (variation: object): { responsePostProcessor: object, variations: { v: object } } => ({ responsePostProcessor: { type: 'function', arn }, variations: { v: variation } })
  const recommenders = { f: written({ type: 'function', arn }), s: written({ type: 'sagemaker', endpointName: 'e', cacheControl: own }) }
  const { app } = await startGateway(t, { cacheControl, resilience, namespaces: { shop: { autoContext, inferenceItemMetadata, recommenders: { 'recommend-items': recommenders, 'rerank-items': recommenders, 'predicted-ratings': recommenders } } }, filters })
  const inherited = { autoContext, filters, cacheControl, inferenceItemMetadata }
  const expected = {
    f: { type: 'function', arn, ...inherited },
    s: { type: 'sagemaker', endpointName: 'e', ...inherited, cacheControl: own }
  }
  for (const name of ['f', 's'] as const) {
    for (const path of [`/recommend-items/shop/${name}/u`, `/rerank-items/shop/${name}/u/a,b`, `/predicted-ratings/shop/${name}/u?items=a`]) {
      server.received.length = 0
      t.equal((await ask(app, path)).status, 200, path)
      t.equal(server.received.length, path.startsWith('/predicted') ? 1 : 2, 'the provider and the post-processor')
      for (const { body } of server.received) {
        const { recommender, variation } = body as { recommender: { config: object }, variation: object }
        t.strictSame(variation, expected[name], path)
        t.strictSame(recommender.config, { ...recommenders[name], ...inherited, variations: { v: expected[name] } }, path)
      }
    }
  }
})

t.test('context values that are no strings pass to functions, models and HTTP services', async t => {
  const server = await provider(t)
  server.answer(() => ({ body: { itemList: [{ itemId: 'a' }] } }))
  const variations: Record<string, object> = { http: { type: 'http', url: server.url, method: 'POST' }, lambda: { type: 'lambda', arn }, sagemaker: { type: 'sagemaker', endpointName: 'e' }, campaign: { type: 'personalize-campaign', arn: 'arn:aws:personalize:us-east-1:123456789012:campaign/c' }, embedded: { type: 'embedded' } }
  const recommenders = Object.fromEntries(Object.entries(variations).map(([name, v]) => [name, { variations: { v }, resilience }]))
  const fallen = { variations: { v: { type: 'http', url: 'http://127.0.0.1:1' }, c: variations['campaign'] }, fallback: ['c'], resilience }
  const app = await startShop(t, { 'recommend-items': { ...recommenders, fallen } })
  const context = { age: 42, half: 0.5, yes: true, none: null, list: ['a', 1], deep: { x: { y: 'z' } }, text: 'x' }
  const query = `context=${encodeURIComponent(JSON.stringify(context))}`
  for (const name of ['http', 'lambda', 'sagemaker']) {
    t.equal((await ask(app, `/recommend-items/shop/${name}/u?${query}`)).status, 200, name)
    t.strictSame((server.received.at(-1)!.body as { context: object }).context, context, name)
  }
  for (const name of ['campaign', 'embedded']) {
    t.match(await ask(app, `/recommend-items/shop/${name}/u?${query}`), { status: 400, body: { code: 'InvalidContextParameter', message: /^context: expected string values, .*"age" is not$/ } }, name)
    for (const value of ['{"a":1}', '{"a":null}', '{"a":{}}']) t.match(await ask(app, `/recommend-items/shop/${name}/u?context=${value}`), { status: 400 }, value)
  }
  t.equal((await ask(app, `/recommend-items/shop/fallen/u?${query}`)).status, 200)
  t.match((server.received.at(-1)!.body as { context: object }).context, { age: '42', deep: '{"x":{"y":"z"}}', text: 'x' }, 'a fallback that takes only text gets text')
})
