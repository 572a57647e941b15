import { PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb'
import t from 'tap'
import { join } from 'node:path'
import { CatalogError } from '../../src/metadata/catalog.ts'
import { loadDynamoDb } from '../../src/metadata/dynamodb/load.ts'
import { itemMetadataTypes } from '../../src/metadata/registry.ts'
import { startDynamo, type TestDynamo } from '../support/dynalite.ts'
import { startS3 } from '../support/s3.ts'
import { finished, run } from '../support/server-process.ts'
import { dataFolder, stagedDocument, startStagedShop } from '../support/staged-shop.ts'
import { testCatalog } from '../support/test-catalog.ts'

const TableName = 'PersonalizationApiItemMetadata_shop'
const ids = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${prefix}-${i}`)
const itemsOf = (...itemIds: string[]): Record<string, string> => Object.fromEntries(itemIds.map(id => [id, '{}']))
const place = { dataDir: '', namespace: 'shop' }
const lines = (itemIds: string[]): string => itemIds.map(id => `{"id":"${id}"}\n`).join('')

async function idsIn ({ client }: TestDynamo): Promise<string[]> {
  const { Items = [] } = await client.send(new ScanCommand({ TableName }))
  return Items.filter(item => item['attributes'] !== undefined).map(item => item['id']!.S!).sort()
}

t.test('a load that would shrink a DynamoDB table to less than half is refused with nothing written, and one to half is not', async t => {
  const dynamo = await startDynamo(t)
  t.equal(await loadDynamoDb({}, testCatalog(itemsOf(...ids('a', 10))), 'shop'), 10)
  dynamo.calls.length = 0
  await t.rejects(loadDynamoDb({}, testCatalog(itemsOf(...ids('b', 4))), 'shop'), { constructor: CatalogError, message: /has only 4 items, less than half of the 10 items in use.*--force.*"shrink": true/ })
  t.strictSame([dynamo.callsOf('BatchWriteItem'), dynamo.callsOf('DeleteItem')], [[], []])
  t.strictSame(await idsIn(dynamo), ids('a', 10))
  t.equal(await loadDynamoDb({}, testCatalog(itemsOf(...ids('c', 5))), 'shop'), 5, 'the refused load has left no lock')
  t.strictSame(await idsIn(dynamo), ids('c', 5))
})

t.test('a load that shrinks a DynamoDB table is taken if the configuration or the place says so, and not if the place forbids it', async t => {
  await startDynamo(t)
  const { load } = itemMetadataTypes.get('dynamodb')!
  const shrinking = { type: 'dynamodb', shrink: true }
  await load!({ type: 'dynamodb' }, testCatalog(itemsOf(...ids('a', 20))), place)
  await t.rejects(load!(shrinking, testCatalog(itemsOf('b')), { ...place, shrink: false }), { message: /less than half of the 20 items/ })
  t.equal(await load!(shrinking, testCatalog(itemsOf(...ids('b', 9))), place), 9)
  t.equal(await load!({ type: 'dynamodb' }, testCatalog(itemsOf(...ids('c', 4))), { ...place, shrink: true }), 4)
})

t.test('of a DynamoDB table that another program filled, the items of loads are counted, and others are not', async t => {
  const dynamo = await startDynamo(t)
  const put = async (itemIds: string[], by: string): Promise<void> => {
    for (const id of itemIds) await dynamo.client.send(new PutItemCommand({ TableName, Item: { id: { S: id }, version: { S: '2020-01-01T00:00:00.000' }, put_via: { S: by }, attributes: { M: {} } } }))
  }
  // A load that is refused provisions the table, and notes no number of items.
  await t.rejects(loadDynamoDb({}, testCatalog({}), 'shop'), { message: /no items/ })
  await put(ids('theirs', 30), 'api')
  await put(ids('a', 6), 'bulk')
  await t.rejects(loadDynamoDb({}, testCatalog(itemsOf('b', 'c')), 'shop'), { message: /has only 2 items, less than half of the 6 items in use/ })
  t.equal((await idsIn(dynamo)).length, 36)
  t.equal(await loadDynamoDb({}, testCatalog(itemsOf('b', 'c', 'd')), 'shop'), 3)
  t.strictSame(await idsIn(dynamo), [...['b', 'c', 'd'], ...ids('theirs', 30)].sort())
})

t.test('a staged catalog that would shrink a DynamoDB table is refused, until the document allows it', async t => {
  const dynamo = await startDynamo(t)
  const s3 = await startS3(t)
  const key = 'import/shop/items.jsonl'
  const shop = await startStagedShop(t, await stagedDocument(t, { type: 'dynamodb' }), dataFolder(t))
  await s3.put(key, lines(['a', ...ids('x', 4)]))
  await shop.shows({ a: {}, b: undefined, c: undefined })
  await s3.put(key, lines(['b', 'c']))
  t.match(await shop.logged('refused'), { store: 'dynamodb', problem: /has only 2 items, less than half of the 5 items in use/ })
  t.strictSame(await shop.items(), { a: {}, b: undefined, c: undefined })
  shop.source.change(await stagedDocument(t, { type: 'dynamodb', shrink: true }))
  await shop.shows({ a: undefined, b: {}, c: {} })
  t.strictSame(await idsIn(dynamo), ['b', 'c'])
})

t.test('items import into DynamoDB needs --force to shrink the table', async t => {
  const dynamo = await startDynamo(t)
  await loadDynamoDb({}, testCatalog(itemsOf(...ids('a', 3))), 'shop')
  const dir = t.testdir({ 'one.jsonl': lines(['b']), 'config.json': JSON.stringify({ namespaces: { shop: { inferenceItemMetadata: { type: 'dynamodb' } } } }) })
  const aws = Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('AWS_'))) as Record<string, string>
  const load = async (...more: string[]): Promise<unknown> =>
    finished(run('cli.js', ['items', 'import', '--namespace', 'shop', ...more, join(dir, 'one.jsonl')], { ...aws, CONFIG_FILE: join(dir, 'config.json'), DATA_DIR: join(dir, 'data') }))
  t.match(await load(), { code: 1, output: /has only 1 items, less than half of the 3 items in use.*--force/ })
  t.strictSame(await idsIn(dynamo), ids('a', 3))
  t.match(await load('--force'), { code: 0, output: /shop has 1 items now \(dynamodb/ })
  t.strictSame(await idsIn(dynamo), ['b'])
})
