import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { validateDocument } from '../../src/config/validate.ts'
import { itemMetadataTypes } from '../../src/metadata/registry.ts'
import { startAws } from '../support/aws.ts'
import { isHit } from '../support/cached-shop.ts'
import { startDynamo } from '../support/dynalite.ts'
import { sendEvents, startGateway, storeConfig } from '../support/gateway.ts'
import { testCatalog } from '../support/test-catalog.ts'

const arn = (kind: string, region = 'us-east-1'): string => `arn:aws:personalize:${region}:123456789012:dataset/shop/${kind}`
const tracker = { type: 'personalize-event-tracker', trackingId: 'tracker', usersDatasetArn: arn('USERS'), itemsDatasetArn: arn('ITEMS', 'eu-west-1') }

function config ({ eventTargets = [tracker], ...more }: { eventTargets?: object[], inferenceItemMetadata?: object } = {}) {
  const { store, mute } = storeConfig.namespaces
  return { ...storeConfig, namespaces: { store: { ...store, ...more, eventTargets: [{ type: 'embedded' }, ...eventTargets] }, mute } }
}

interface Put { status: number, body: Record<string, unknown>, retryAfter: unknown }

async function put (app: FastifyInstance, url: string, payload: object): Promise<Put> {
  const { statusCode, body, headers } = await app.inject({ method: 'POST', url, payload })
  return { status: statusCode, body: JSON.parse(body) as Put['body'], retryAfter: headers['retry-after'] }
}

const items = (count: number, properties: unknown = { price: 1 }): object => ({ items: Array.from({ length: count }, (_, i) => ({ itemId: `item-${i}`, properties })) })

async function metadataOf (app: FastifyInstance, itemId: string): Promise<unknown> {
  const { itemList } = (await app.inject('/recommend-items/store/for-you/nobody')).json<{ itemList: Array<{ itemId: string, metadata?: unknown }> }>()
  return itemList.find(item => item.itemId === itemId)?.metadata
}

t.test('users are put into the dataset that a tracker names, ten a call', async t => {
  const { aws } = await startAws(t)
  const { app } = await startGateway(t, config())
  const users = Array.from({ length: 25 }, (_, i) => ({ userId: `u${i}`, properties: i % 2 === 0 ? { age: i } : `{"age": ${i}.0}` }))
  t.match(await put(app, '/users/store', { users }), { status: 200, body: { targets: { 'personalize-event-tracker': 'delivered' } } })
  const calls = aws.requests.of('personalize-events').map(({ body }) => body as { datasetArn: string, users: Array<{ userId: string, properties: string }> })
  t.ok(calls.every(({ datasetArn, users }) => datasetArn === arn('USERS') && users.length <= 10))
  t.strictSame(calls.flatMap(({ users }) => users).sort((a, b) => Number(a.userId.slice(1)) - Number(b.userId.slice(1))),
    users.map(({ userId, properties }) => ({ userId, properties: typeof properties === 'string' ? properties : JSON.stringify(properties) })))
})

t.test('what was made for a user before it was put is not served any more', async t => {
  await startAws(t)
  const { app } = await startGateway(t, { ...config(), cacheControl: { ...storeConfig.cacheControl, server: { ttl: 100 } } })
  const isKept = async (): Promise<boolean> => isHit(await app.inject('/recommend-items/store/for-you/me'))
  t.notOk(await isKept())
  t.ok(await isKept())
  await put(app, '/users/store', { users: [{ userId: 'me' }] })
  t.notOk(await isKept())
})

t.test('items are put into the dataset, in its region, and into the metadata of this machine, where the next lookup finds them', async t => {
  const { aws } = await startAws(t)
  const { app } = await startGateway(t, config())
  await sendEvents(t, app, 'a', ['item-0', 'item-1'])
  t.match(await put(app, '/items/store', items(2, { price: 1 })), { status: 200, body: { targets: { 'personalize-event-tracker': 'delivered', localdb: 'delivered' } } })
  const [call] = aws.requests.of('personalize-events').filter(({ path }) => path.startsWith('/items'))
  t.match(call, { body: { datasetArn: tracker.itemsDatasetArn, items: [{ itemId: 'item-0', properties: '{"price":1}' }, { itemId: 'item-1' }] } })
  t.match(call!.headers.authorization, '/eu-west-1/')
  t.strictSame(await metadataOf(app, 'item-0'), { price: 1 })
  await put(app, '/items/store', { items: [{ itemId: 'item-2', properties: '{"big":12345678901234567890}' }, { itemId: 'item-1' }] })
  await sendEvents(t, app, 'b', ['item-1', 'item-2'])
  t.match((await app.inject('/recommend-items/store/for-you/somebody')).body, '"metadata":{"big":12345678901234567890}')
})

t.test('an item that comes twice has what came last', async t => {
  const { aws } = await startAws(t)
  const { app } = await startGateway(t, config())
  await sendEvents(t, app, 'a', ['cup'])
  t.match(await put(app, '/items/store', { items: [{ itemId: 'cup', properties: { v: 1 } }, { itemId: 'cup', properties: { v: 2 } }] }), { status: 200 })
  t.strictSame(await metadataOf(app, 'cup'), { v: 2 })
  t.match(aws.requests.of('personalize-events').at(-1), { body: { items: [{ itemId: 'cup', properties: '{"v":2}' }] } })
})

t.test('what passes is tried again: throttling, an error of its own, an answer that is lost', async t => {
  const { aws } = await startAws(t)
  const { app } = await startGateway(t, config())
  for (const failure of ['429', '503', 'reset'] as const) {
    aws.behaviours.set('personalize-events', { failure, times: 3 })
    t.match(await put(app, '/items/store', items(5)), { status: 200 })
  }
})

t.test('a dataset that refuses is named, with what it does not have; the others have all', async t => {
  const { aws } = await startAws(t)
  const { app } = await startGateway(t, config())
  const refused = await put(app, '/items/store', { items: [{ itemId: 'good' }, { itemId: 'bad', properties: { userId: 'is reserved' } }] })
  t.match(refused, { status: 502, body: { code: 'DatasetsRefused', targets: { 'personalize-event-tracker': 'failed: it refuses them', localdb: 'delivered' } } })
  t.strictSame(refused.body['missing'], { 'personalize-event-tracker': ['bad'] })
  aws.behaviours.set('personalize-events', { failure: '403' })
  const unknown = await put(app, '/items/store', items(2))
  t.match(unknown, { status: 503, retryAfter: '1', body: { code: 'DatasetsNotWritten', targets: { localdb: 'delivered' } } })
  t.strictSame(unknown.body['missing'], { 'personalize-event-tracker': ['item-0', 'item-1'] })
  aws.behaviours.reset()
})

t.test('past a thousand entries that wait nothing more is taken', async t => {
  const { aws } = await startAws(t)
  const { app } = await startGateway(t, config())
  aws.behaviours.set('personalize-events', { failure: 'hang' })
  const puts = Array.from({ length: 12 }, async (_, i) => put(app, '/users/store', { users: Array.from({ length: 100 }, (_, j) => ({ userId: `${i}-${j}` })) }))
  const full = await Promise.any(puts.map(async put => {
    const answer = await put
    if (answer.status !== 429) throw new Error('taken')
    return answer
  }))
  t.match(full, { body: { code: 'DatasetQueueFull', type: 'Overload' }, retryAfter: '1' })
  aws.behaviours.reset()
  await Promise.all(puts)
})

t.test('where nothing takes them, that is told', async t => {
  const { app } = await startGateway(t, config({ eventTargets: [] }))
  t.match(await put(app, '/users/store', { users: [{ userId: 'a' }] }), { status: 409, body: { code: 'NoDatasets' } })
  t.match(await put(app, '/items/mute', items(1)), { status: 409, body: { code: 'NoDatasets' } })
  t.match(await put(app, '/items/none', items(1)), { status: 404, body: { code: 'NamespaceNotFound' } })
})

t.test('what is wrong with a body is told, and nothing is sent', async t => {
  const { aws } = await startAws(t)
  const { app } = await startGateway(t, config())
  const wrong = async (url: string, body: object): Promise<unknown> => {
    const answer = await put(app, url, body)
    t.match(answer, { status: 400, body: { code: 'InvalidBody' } })
    return answer.body['message']
  }
  t.match(await wrong('/items/store', {}), 'body/items: is missing')
  t.match(await wrong('/items/store', { items: [] }), 'body/items: expected')
  t.match(await wrong('/items/store', items(101)), 'body/items: expected')
  t.match(await wrong('/items/store', { items: [{ itemId: '' }] }), 'body/items/0/itemId: expected')
  t.match(await wrong('/items/store', { items: [{ itemId: 'a', price: 1 }] }), 'body/items/0/price: is not a known key here')
  t.match(await wrong('/items/store', { items: [{ itemId: '\ud800' }] }), 'body/items/0/itemId: expected whole characters')
  for (const properties of ['', '[]', 'nonsense', '{"a":"\ud800"}']) t.match(await wrong('/items/store', { items: [{ itemId: 'a', properties }] }), 'body/items/0/properties: expected a JSON object')
  t.match(await wrong('/items/store', items(1, { text: 'x'.repeat(32_000) })), 'body/items/0/properties: expected at most 32000 characters')
  t.match(await wrong('/users/store', { users: [{ userId: 'a', properties: { text: 'x'.repeat(24_000) } }] }), 'body/users/0/properties: expected at most 24000 characters')
  t.match(await wrong('/users/store', { users: [{ userId: 'a', properties: [] }] }), 'body/users/0/properties: expected')
  t.strictSame(aws.requests.of('personalize-events'), [])
})

t.test('the configuration names datasets by their ARN', async t => {
  const messages = (target: object): string[] => validateDocument(config({ eventTargets: [{ ...tracker, ...target }] })).findings.map(({ pointer }) => pointer)
  t.strictSame(messages({}), [])
  t.strictSame(messages({ usersDatasetArn: arn('ITEMS') }), ['/namespaces/store/eventTargets/1/usersDatasetArn'])
  t.strictSame(messages({ itemsDatasetArn: 'arn:aws:personalize:us-east-1:123456789012:campaign/x' }), ['/namespaces/store/eventTargets/1/itemsDatasetArn'])
})

async function startWithTable (t: Test): Promise<{ app: FastifyInstance, dynamo: Awaited<ReturnType<typeof startDynamo>> }> {
  const dynamo = await startDynamo(t)
  const load = itemMetadataTypes.get('dynamodb')!.load!
  await load({ type: 'dynamodb' }, testCatalog({ tea: '{"v":1}', cup: '{"v":1}' }), { dataDir: '', namespace: 'store' })
  const { app } = await startGateway(t, config({ eventTargets: [], inferenceItemMetadata: { type: 'dynamodb', cacheTtl: 600 } }))
  await sendEvents(t, app, 'a', ['tea', 'cup'])
  return { app, dynamo }
}

const table = 'PersonalizationApiItemMetadata_store'

t.test('an item is put into DynamoDB as a load would, and memory does not hold the one before', async t => {
  const { app, dynamo } = await startWithTable(t)
  t.strictSame(await metadataOf(app, 'tea'), { v: 1 })
  t.match(await put(app, '/items/store', { items: [{ itemId: 'tea', properties: '{"v":2,"big":12345678901234567890}' }, { itemId: 'new' }] }), { status: 200, body: { targets: { dynamodb: 'delivered' } } })
  t.match(await dynamo.item(table, 'tea'), { id: { S: 'tea' }, put_via: { S: 'bulk' }, version: { S: /^\d{4}-\d\d-\d\dT[\d:.]+$/ }, attributes: { M: { v: { N: '2' }, big: { N: '12345678901234567890' } } } })
  t.match(await dynamo.item(table, 'new'), { attributes: { M: {} } })
  await sendEvents(t, app, 'b', ['tea', 'cup'])
  t.match((await app.inject('/recommend-items/store/for-you/somebody')).body, '"metadata":{"v":2,"big":12345678901234567890}')
})

t.test('what DynamoDB leaves undone is put again', async t => {
  const { app, dynamo } = await startWithTable(t)
  let left = 2
  dynamo.intercept(async ({ operation, body }, pass) => operation === 'BatchWriteItem' && left-- > 0 ? { status: 200, body: { UnprocessedItems: body['RequestItems'] } } : pass())
  t.match(await put(app, '/items/store', items(30)), { status: 200 })
  t.match(await dynamo.item(table, 'item-29'), { attributes: { M: { price: { N: '1' } } } })
})

t.test('what DynamoDB would never take is refused before anything is sent', async t => {
  const { app, dynamo } = await startWithTable(t)
  const before = dynamo.callsOf('BatchWriteItem').length
  t.match(await put(app, '/items/store', { items: [{ itemId: 'good' }, { itemId: 'bad', properties: '{"n":1e400}' }] }), { status: 400, body: { message: 'body/items/1: has a number out of DynamoDB\'s range: 1e400, says "dynamodb"' } })
  t.match(await put(app, '/items/store', { items: [{ itemId: 'personalization-gateway:load' }] }), { status: 400 })
  t.equal(dynamo.callsOf('BatchWriteItem').length, before)
})

t.test('a load replaces items that were put before its catalog was made', async t => {
  const { app, dynamo } = await startWithTable(t)
  await put(app, '/items/store', items(1))
  const catalog = { ...testCatalog({ tea: '{"v":9}' }), madeAt: Date.now() + 60_000, tag: 'next' }
  await itemMetadataTypes.get('dynamodb')!.load!({ type: 'dynamodb' }, catalog, { dataDir: '', namespace: 'store' })
  t.equal(await dynamo.item(table, 'item-0'), undefined)
})
