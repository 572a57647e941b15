import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CreateTableCommand, DescribeTableCommand, ScanCommand } from '@aws-sdk/client-dynamodb'
import t, { type Test } from 'tap'
import { readSettings, SettingsError } from '../../src/settings.ts'
import { startDynamo, type TestDynamo } from '../support/dynalite.ts'
import { eventually } from '../support/eventually.ts'
import { startS3 } from '../support/s3.ts'
import { finished, run, startServer } from '../support/server-process.ts'
import { dataFolder, stagedDocument } from '../support/staged-shop.ts'

const own = { ItemsTableNamePrefix: 'Shop-Items.', ItemsTablePrimaryKeyFieldName: 'ITEM_ID' }
const store = { type: 'dynamodb', syncInterval: 5 }
const lines = (...items: object[]): string => items.map(item => `${JSON.stringify(item)}\n`).join('')
const aws = (): Record<string, string> => Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('AWS_'))) as Record<string, string>

/** Writes a document with a namespace `shop` into a new folder. Returns the environment of a gateway there. */
async function shopEnvironment (t: Test): Promise<Record<string, string>> {
  const dataDir = dataFolder(t)
  const CONFIG_FILE = join(dataDir, 'config.json')
  writeFileSync(CONFIG_FILE, JSON.stringify(await stagedDocument(t, store)))
  return { ...aws(), CONFIG_FILE, DATA_DIR: dataDir, LOG_LEVEL: 'info' }
}

/** Returns the items of a table by the attribute ITEM_ID, without the lock. */
async function itemsOf ({ client }: TestDynamo, TableName: string): Promise<Record<string, unknown>> {
  const { Items = [] } = await client.send(new ScanCommand({ TableName }))
  return Object.fromEntries(Items.filter(item => item['attributes'] !== undefined).map(item => [String(item['ITEM_ID']?.S), item['attributes']?.M as unknown]))
}

async function answerOf (url: string): Promise<string> {
  return (await fetch(`${url}/recommend-items/shop/home/nobody`)).text()
}

t.test('ItemsTableNamePrefix and ItemsTablePrimaryKeyFieldName default to those of the sample, and wrong ones are refused', t => {
  t.match(readSettings({}), { ItemsTableNamePrefix: 'PersonalizationApiItemMetadata_', ItemsTablePrimaryKeyFieldName: 'id' })
  t.match(readSettings(own), own)
  t.match(readSettings({ ItemsTablePrimaryKeyFieldName: 'Artikel №' }), { ItemsTablePrimaryKeyFieldName: 'Artikel №' })
  const wrong: Array<[keyof typeof own, string]> = [
    ...['my items ', 'items/', 'ä', 'x'.repeat(255)].map((text): [keyof typeof own, string] => ['ItemsTableNamePrefix', text]),
    ...['version', 'put_via', 'attributes', 'owner', 'a\nb', 'ü'.repeat(128)].map((text): [keyof typeof own, string] => ['ItemsTablePrimaryKeyFieldName', text])
  ]
  for (const [name, text] of wrong) t.throws(() => readSettings({ [name]: text }), { constructor: SettingsError, message: new RegExp(`^${name} expected`) }, text)
  t.end()
})

t.test('ItemsTableNamePrefix and ItemsTablePrimaryKeyFieldName reach loads from the staging bucket, lookups and POST /items', async t => {
  const dynamo = await startDynamo(t)
  const s3 = await startS3(t)
  await s3.put('import/shop/items.jsonl', lines({ ITEM_ID: 'a', id: 7, title: 'A' }, { ITEM_ID: 'old', title: 'O' }))
  const environment = await shopEnvironment(t)
  const { url, end } = await startServer(t, { ...environment, ...own, STAGING_BUCKET: 'staging', OPEN_WRITES: 'true' })
  await eventually('the answer is decorated', async () => (await answerOf(url)).includes('{"itemId":"a","metadata":{"id":7,"title":"A"}}'), 40_000)
  const { Table } = await dynamo.client.send(new DescribeTableCommand({ TableName: 'Shop-Items.shop' }))
  t.match(Table, { KeySchema: [{ AttributeName: 'ITEM_ID', KeyType: 'HASH' }] })

  const put = await fetch(`${url}/items/shop`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ items: [{ itemId: 'b', properties: '{"title":"B"}' }] }) })
  t.strictSame(await put.json(), { targets: { dynamodb: 'delivered' } })
  t.strictSame(Object.keys(await itemsOf(dynamo, 'Shop-Items.shop')).sort(), ['a', 'b', 'old'])

  await s3.put('import/shop/items.jsonl', lines({ ITEM_ID: 'a', title: 'A2' }, { ITEM_ID: 'c', title: 'C' }))
  // S3 tells seconds only, so that the catalog may count as made before `b` was put.
  await eventually('the load removes the items of the one before', async () => Object.keys(await itemsOf(dynamo, 'Shop-Items.shop')).filter(id => id !== 'b').sort().join() === 'a,c', 40_000)
  t.equal((await end('SIGTERM'))[0], 0)

  const moved = await startServer(t, { ...environment, ...own, ItemsTableNamePrefix: 'Other_', STAGING_BUCKET: 'staging' })
  await eventually('the catalog is loaded into the other table as well', async () => (await answerOf(moved.url)).includes('{"itemId":"c","metadata":{"title":"C"}}'), 40_000)
  t.strictSame(Object.keys(await itemsOf(dynamo, 'Other_shop')).sort(), ['a', 'c'])
})

t.test('ItemsTablePrimaryKeyFieldName names the id of gateway items import, in JSON Lines and tables, and its table may exist', async t => {
  const dynamo = await startDynamo(t)
  const environment = { ...await shopEnvironment(t), ...own }
  await dynamo.client.send(new CreateTableCommand({ TableName: 'Shop-Items.shop', BillingMode: 'PAY_PER_REQUEST', KeySchema: [{ AttributeName: 'ITEM_ID', KeyType: 'HASH' }], AttributeDefinitions: [{ AttributeName: 'ITEM_ID', AttributeType: 'S' }] }))
  const dir = t.testdir({ 'items.jsonl': lines({ ITEM_ID: 12345678901, v: 1 }), 'items.csv': 'ITEM_ID,v\ncup,1\n', 'columns.csv': 'sku,v\ntea,1\n', 'id.jsonl': lines({ id: 'a' }) })
  const load = async (file: string, ...more: string[]): Promise<{ code: number | null, output: string }> =>
    finished(run('cli.js', ['items', 'import', '--namespace', 'shop', ...more, join(dir, file)], environment))
  for (const [id, file, ...more] of [['12345678901', 'items.jsonl'], ['cup', 'items.csv'], ['tea', 'columns.csv', '--columns', 'id=sku,v=v']] as const) {
    t.match(await load(file, ...more), { code: 0, output: /shop has 1 items now \(dynamodb/ }, file)
    t.strictSame(Object.keys(await itemsOf(dynamo, 'Shop-Items.shop')), [id])
  }
  t.match(await load('id.jsonl'), { code: 1, output: /line 1: ITEM_ID: expected a string/ })
  const { code, output } = await finished(run('cli.js', ['items', 'import', '--namespace', 'shop', join(dir, 'id.jsonl')], { ...environment, ItemsTablePrimaryKeyFieldName: 'id' }))
  t.match({ code, output }, { code: 1, output: 'the DynamoDB table Shop-Items.shop has another key than "id"' })
})

t.test('a namespace whose DynamoDB table would have an invalid name is named by config validate, at the start and by an import', async t => {
  await startDynamo(t)
  const recommenders = { 'recommend-items': { home: { variations: { main: { type: 'embedded' } } } } }
  const namespaces = {
    'my shop': { recommenders },
    'shop~2': { recommenders: { 'recommend-items': { home: { variations: { main: { type: 'embedded', inferenceItemMetadata: store } } } } }, inferenceItemMetadata: { type: 'localdb' } },
    fine: { recommenders },
    'local only': { recommenders, inferenceItemMetadata: { type: 'localdb' } }
  }
  const dir = t.testdir({ 'config.json': JSON.stringify({ cacheControl: {}, inferenceItemMetadata: store, namespaces }), 'items.jsonl': lines({ id: 'a' }) })
  const environment = { ...aws(), CONFIG_FILE: join(dir, 'config.json'), DATA_DIR: join(dir, 'data') }
  const { code, output } = await finished(run('cli.js', ['config', 'validate', environment.CONFIG_FILE], environment))
  t.equal(code, 0)
  const warned = [...output.matchAll(/^warning: (\S+.*): has its items in the DynamoDB table "(.*?)", which is not a name of a table/gm)].map(([, pointer, name]) => [pointer, name])
  t.strictSame(warned, [['/namespaces/my shop', 'PersonalizationApiItemMetadata_my shop'], ['/namespaces/shop~02', 'PersonalizationApiItemMetadata_shop~2']])

  const { output: log } = await startServer(t, environment)
  await eventually('the log names both', () => log().includes('PersonalizationApiItemMetadata_my shop') && log().includes('PersonalizationApiItemMetadata_shop~2'))
  t.match(await finished(run('cli.js', ['items', 'import', '--namespace', 'my shop', join(dir, 'items.jsonl')], environment)), { code: 1, output: /"PersonalizationApiItemMetadata_my shop" is not a name of a DynamoDB table/ })

  const short = await finished(run('cli.js', ['config', 'validate', join(t.testdir({ 'c.json': JSON.stringify({ inferenceItemMetadata: store, namespaces: { a: { recommenders }, ab: { recommenders } } }) }), 'c.json')], { ...aws(), ItemsTableNamePrefix: 'x' }))
  t.match(short.output, '/namespaces/a: has its items in the DynamoDB table "xa", which is not')
  t.notMatch(short.output, '"xab"')
})
