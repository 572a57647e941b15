import { PutItemCommand } from '@aws-sdk/client-dynamodb'
import t, { type Test } from 'tap'
import { itemMetadataTypes } from '../../src/metadata/registry.ts'
import { ItemMetadataError, type ItemMetadataStore, type Undecorated } from '../../src/metadata/store.ts'
import { createHolder } from '../../src/connections/scope.ts'
import { forKeys, keysOf, refusal, silence, startDynamo } from '../support/dynalite.ts'
import { testCatalog } from '../support/test-catalog.ts'
import { testResources } from '../support/test-resources.ts'

const dynamodb = itemMetadataTypes.get('dynamodb')!
const config = { type: 'dynamodb' }
const table = 'PersonalizationApiItemMetadata_shop'
const patient = (): AbortSignal => new AbortController().signal
const ids = (count: number): string[] => Array.from({ length: count }, (_, i) => `item-${i}`)
const catalogOf = (count: number) => testCatalog(Object.fromEntries(ids(count).map((id, n) => [id, `{"n":${n}}`])))

async function openStore (t: Test, items: number) {
  const dynamo = await startDynamo(t)
  const errors: unknown[] = []
  const resources = testResources(t.testdir(), { onError: error => { errors.push(error) } })
  t.teardown(resources.close)
  if (items > 0) await dynamodb.load!(config, catalogOf(items), { dataDir: '', namespace: 'shop' })
  const store = await dynamodb.open(config, createHolder(resources).scopeOf('shop'))
  return { ...dynamo, store, errors, stats: resources.metadataStats }
}

async function failed (t: Test, store: ItemMetadataStore, itemIds: readonly string[], signal: AbortSignal, reason: Undecorated): Promise<ReadonlyMap<string, string>> {
  const error = await Promise.resolve(store.get(itemIds, signal)).then(() => undefined, (error: unknown) => error)
  t.ok(error instanceof ItemMetadataError)
  t.match(error, { reason })
  t.ok((error as Error).cause !== undefined, 'it keeps its cause')
  return (error as ItemMetadataError).found
}

t.test('a lookup asks for each item once, for no more than 100 a call and for nothing but what it needs', async t => {
  const { store, callsOf, stats } = await openStore(t, 5)
  const found = await store.get([...ids(250), ...ids(250)], patient())
  t.strictSame([...found.keys()].sort(), ids(5))
  const requests = callsOf('BatchGetItem')
  t.strictSame(requests.map(body => keysOf(body, table).length).sort(), [100, 100, 50])
  t.equal(new Set(requests.flatMap(body => keysOf(body, table).map(({ id }) => id.S))).size, 250)
  for (const { RequestItems } of requests) t.match(RequestItems, { [table]: { ProjectionExpression: '#key, attributes', ExpressionAttributeNames: { '#key': 'id' } } })
  t.match(stats, { calls: 3, retriedKeys: 0, throttled: 0, failed: { timeout: 0, throttled: 0, unavailable: 0 } })
})

t.test('no more than five calls of a lookup are under way at once', async t => {
  const { store, intercept } = await openStore(t, 1)
  let now = 0
  let most = 0
  intercept(async (_call, pass) => {
    most = Math.max(most, ++now)
    const reply = await pass()
    now--
    return reply
  })
  await store.get(ids(1200), patient())
  t.equal(most, 5)
})

t.test('keys that DynamoDB leaves undone are asked for again until all are there', async t => {
  const { store, intercept, stats } = await openStore(t, 40)
  intercept(async ({ body }, pass) => {
    const Keys = keysOf(body, table)
    const now = Keys.slice(0, Math.ceil(Keys.length / 2))
    const later = Keys.slice(now.length)
    const reply = await pass(forKeys(body, table, now))
    return { ...reply, body: { ...reply.body, UnprocessedKeys: later.length === 0 ? {} : { [table]: { Keys: later } } } }
  })
  t.strictSame([...(await store.get(ids(40), patient())).keys()].sort(), ids(40).sort())
  t.match(stats, { calls: 6, throttled: 5, retriedKeys: 20 + 10 + 5 + 2 + 1 })
})

t.test('an answer that DynamoDB cuts at 16 MB is completed', async t => {
  const { store, stats } = await openStore(t, 0)
  const text = 'x'.repeat(350 * 1024)
  await dynamodb.load!(config, testCatalog(Object.fromEntries(ids(60).map(id => [id, JSON.stringify({ text })]))), { dataDir: '', namespace: 'shop' })
  const found = await store.get(ids(60), patient())
  t.equal(found.size, 60)
  t.ok(stats.retriedKeys > 0, 'it was cut')
})

for (const name of ['ProvisionedThroughputExceededException', 'ThrottlingException', 'RequestLimitExceeded']) {
  t.test(`a call that is refused with ${name} is made again`, async t => {
    const { store, intercept, stats } = await openStore(t, 3)
    let refusals = 2
    intercept(async (_call, pass) => refusals-- > 0 ? refusal(name) : pass())
    t.equal((await store.get(ids(3), patient())).size, 3)
    t.match(stats, { calls: 3, throttled: 2, retriedKeys: 6 })
  })
}

t.test('where DynamoDB throttles until the deadline, what it served is there', async t => {
  const { store, intercept, stats } = await openStore(t, 150)
  intercept(async ({ body }, pass) => keysOf(body, table).length === 100 ? pass() : refusal('ThrottlingException'))
  const found = await failed(t, store, ids(150), AbortSignal.timeout(200), 'throttled')
  t.strictSame([...found.keys()].sort(), ids(100).sort())
  t.equal(stats.failed.throttled, 1)
})

t.test('where keys stay undone until the deadline, what was served is there', async t => {
  const { store, intercept } = await openStore(t, 10)
  intercept(async ({ body }, pass) => {
    const [first, ...Keys] = keysOf(body, table)
    if (first?.id.S !== 'item-0') return { status: 200, body: { Responses: {}, UnprocessedKeys: { [table]: { Keys: [first, ...Keys] } } } }
    const { status, body: answer } = await pass(forKeys(body, table, [first]))
    return { status, body: { ...answer, UnprocessedKeys: { [table]: { Keys } } } }
  })
  t.strictSame([...await failed(t, store, ids(10), AbortSignal.timeout(150), 'throttled')], [['item-0', '{"n":0}']])
})

t.test('where DynamoDB says nothing, the lookup ends with its signal and what was served is there', async t => {
  const { store, intercept, stats } = await openStore(t, 150)
  intercept(async ({ body }, pass) => keysOf(body, table).length === 100 ? pass() : silence())
  const began = performance.now()
  const found = await failed(t, store, ids(150), AbortSignal.timeout(200), 'timeout')
  t.ok(performance.now() - began < 1000, 'at once')
  t.equal(found.size, 100)
  t.equal(stats.failed.timeout, 1)
})

t.test('nothing is asked for a caller who is gone already', async t => {
  const { store, callsOf } = await openStore(t, 1)
  t.equal((await failed(t, store, ['item-0'], AbortSignal.abort(), 'timeout')).size, 0)
  t.equal(callsOf('BatchGetItem').length, 0)
})

t.test('a call that fails on the other side is made once more, and no oftener', async t => {
  const { store, intercept, callsOf, errors, stats } = await openStore(t, 2)
  let failures = 1
  intercept(async (_call, pass) => failures-- > 0 ? refusal('InternalServerError', 500) : pass())
  t.equal((await store.get(ids(2), patient())).size, 2)
  failures = 10
  const before = callsOf('BatchGetItem').length
  t.equal((await failed(t, store, ids(2), patient(), 'unavailable')).size, 0)
  t.equal(callsOf('BatchGetItem').length - before, 2)
  t.equal(stats.failed.unavailable, 1)
  t.strictSame(errors, [], 'it will pass: nobody needs to be told')
})

t.test('a table that is not there is told once, not with each lookup, and found when it comes', async t => {
  const { store, errors, callsOf } = await openStore(t, 0)
  for (let i = 0; i < 5; i++) await failed(t, store, ids(3), patient(), 'unavailable')
  t.equal(callsOf('BatchGetItem').length, 5, 'asking again does not mend it')
  t.equal(errors.length, 1)
  t.match(errors, [{ message: /no DynamoDB table PersonalizationApiItemMetadata_shop/ }])
  await dynamodb.load!(config, catalogOf(3), { dataDir: '', namespace: 'shop' })
  t.equal((await store.get(ids(3), patient())).size, 3)
  t.equal(errors.length, 1)
})

t.test('a refusal is told once until it is mended, and once again after that', async t => {
  const { store, errors, intercept } = await openStore(t, 1)
  for (let round = 1; round <= 2; round++) {
    intercept(async () => refusal('AccessDeniedException'))
    for (let i = 0; i < 3; i++) await failed(t, store, ids(1), patient(), 'unavailable')
    t.equal(errors.length, round)
    intercept(undefined)
    t.equal((await store.get(ids(1), patient())).size, 1)
  }
  t.match(errors, [{ message: /refuses.*AccessDeniedException/ }, { message: /refuses/ }])
})

t.test('items that others have put in the table are served, and what is no item is not', async t => {
  const { store, client } = await openStore(t, 1)
  const put = async (Item: PutItemCommand['input']['Item']): Promise<unknown> => client.send(new PutItemCommand({ TableName: table, Item }))
  await put({ id: { S: 'theirs' }, put_via: { S: 'api' }, attributes: { M: { tags: { SS: ['a'] }, sizes: { NS: ['1.5'] }, raw: { B: Buffer.from('ab') } } } })
  await put({ id: { S: 'bare' } })
  await put({ id: { S: 'odd' }, attributes: { S: 'text' } })
  t.strictSame([...await store.get(['theirs', 'bare', 'odd'], patient())], [['theirs', '{"tags":["a"],"sizes":[1.5],"raw":"YWI="}']])
})
