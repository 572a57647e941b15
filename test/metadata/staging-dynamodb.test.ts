import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { lockId } from '../../src/metadata/dynamodb/lock.ts'
import { startDynamo } from '../support/dynalite.ts'
import { eventually } from '../support/eventually.ts'
import { startS3 } from '../support/s3.ts'
import { dataFolder, stagedDocument, startStagedShop } from '../support/staged-shop.ts'

const key = 'import/shop/items.jsonl'
const lines = (...items: object[]): string => items.map(item => `${JSON.stringify(item)}\n`).join('')
const store = { type: 'dynamodb', syncInterval: 60 }

t.test('what is uploaded decorates answers from DynamoDB, and what the next upload leaves out is gone', async t => {
  const dynamo = await startDynamo(t)
  const s3 = await startS3(t)
  const shop = await startStagedShop(t, await stagedDocument(t, store), dataFolder(t))
  await s3.put(key, lines({ id: 'a', title: 'A' }, { id: 'b', title: 'B' }))
  await shop.shows({ a: { title: 'A' }, b: { title: 'B' }, c: undefined })
  t.match(await shop.logged('items imported'), { namespace: 'shop', store: 'dynamodb', key, items: 2 })
  t.match(await dynamo.item('PersonalizationApiItemMetadata_shop', lockId), { tag: { S: /^[0-9a-f]{32}$/ } })

  await s3.put(key, lines({ id: 'b', title: 'B2' }))
  await shop.shows({ a: undefined, b: { title: 'B2' }, c: undefined })

  await s3.put(key, `${lines({ id: 'c' })}nonsense\n`)
  t.match(await shop.logged('refused'), { store: 'dynamodb', key, problem: /line 2: is not JSON/ })
  await s3.put(key, lines({ id: lockId }, { id: 'c' }))
  await eventually('what DynamoDB does not take is refused', () => shop.log.some(({ problem }) => String(problem).includes('keeps for itself')))
  await s3.listedAgain(3)
  t.equal(s3.downloads.length, 4, 'each was fetched once')
  t.strictSame(await shop.items(), { a: undefined, b: { title: 'B2' }, c: undefined })
})

t.test('what one instance has imported no other one fetches', async t => {
  const dynamo = await startDynamo(t)
  const s3 = await startS3(t)
  const document = await stagedDocument(t, store)
  await s3.put(key, lines({ id: 'a' }))
  const first = await startStagedShop(t, document, dataFolder(t))
  await first.logged('items imported')
  const second = await startStagedShop(t, document, dataFolder(t))
  await second.shows({ a: {}, b: undefined, c: undefined })
  await s3.put(key, lines({ id: 'b' }))
  await Promise.all([first, second].map(async shop => shop.shows({ a: undefined, b: {}, c: undefined })))
  await s3.listedAgain(4)
  t.strictSame(s3.downloads, [key, key])
  t.ok(dynamo.callsOf('BatchWriteItem').length >= 2)
})

t.test('that another instance has imported it is remembered: DynamoDB is not asked again', async t => {
  const dynamo = await startDynamo(t)
  const s3 = await startS3(t)
  const document = await stagedDocument(t, store)
  await s3.put(key, lines({ id: 'a' }))
  await (await startStagedShop(t, document, dataFolder(t))).logged('items imported')
  const dataDir = dataFolder(t)
  const second = await startStagedShop(t, document, dataDir)
  const memory = join(dataDir, 'items', 'shop', 'staging-dynamodb', 'STAGED')
  await eventually('it is remembered', () => existsSync(memory))
  t.match(JSON.parse(readFileSync(memory, 'utf8')), { imported: String, importedAt: Number })
  const asked = dynamo.calls.length
  await s3.listedAgain(6)
  t.equal(dynamo.calls.length, asked)
  t.notOk(second.log.some(({ msg }) => msg === 'items imported'))
  t.ok(await second.metric('gateway_item_import_timestamp_seconds{namespace="shop",store="dynamodb"}'), 'its store was filled, whoever did it')
})

t.test('while DynamoDB takes nothing the items stay, and the import is done when it does again', async t => {
  const dynamo = await startDynamo(t)
  const s3 = await startS3(t)
  const shop = await startStagedShop(t, await stagedDocument(t, store), dataFolder(t))
  await s3.put(key, lines({ id: 'a' }))
  await shop.shows({ a: {}, b: undefined, c: undefined })
  dynamo.intercept(({ operation }, pass) => operation === 'BatchWriteItem'
    ? { status: 400, body: { __type: 'com.amazon.coral.service#AccessDeniedException', message: 'no' } }
    : pass())
  await s3.put(key, lines({ id: 'b' }))
  t.match(await shop.logged('could not be imported'), { store: 'dynamodb', cause: /AccessDenied/ })
  t.strictSame(await shop.items(), { a: {}, b: undefined, c: undefined })
  dynamo.intercept(undefined)
  await shop.shows({ a: undefined, b: {}, c: undefined })
})

t.test('a namespace with both stores has both filled', async t => {
  await startDynamo(t)
  const s3 = await startS3(t)
  const document = await stagedDocument(t, store) as { namespaces: { shop: { recommenders: { 'recommend-items': { home: object } } } } }
  Object.assign(document.namespaces.shop.recommenders['recommend-items'].home, { inferenceItemMetadata: { type: 'localdb' } })
  const shop = await startStagedShop(t, document, dataFolder(t))
  await s3.put(key, lines({ id: 'a' }))
  await shop.shows({ a: {}, b: undefined, c: undefined })
  await eventually('both are filled', async () => await shop.metric('gateway_item_imports_total{outcome="imported"}') === 2)
  t.strictSame(shop.log.filter(({ msg }) => msg === 'items imported').map(line => line['store']).sort(), ['dynamodb', 'localdb'])
})
