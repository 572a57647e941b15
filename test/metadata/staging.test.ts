import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { eventually } from '../support/eventually.ts'
import { startS3 } from '../support/s3.ts'
import { dataFolder, stagedDocument, startStagedShop } from '../support/staged-shop.ts'

const key = 'import/shop/items.jsonl'
const lines = (...items: object[]): string => items.map(item => `${JSON.stringify(item)}\n`).join('')
const imported = 'gateway_item_imports_total{outcome="imported"}'

/** What is left of downloads. */
const downloadsIn = (dataDir: string): string[] => readdirSync(dataDir, { recursive: true, encoding: 'utf8' }).filter(name => name.includes('download'))

t.test('what is uploaded decorates answers, and what the next upload leaves out is gone', async t => {
  const s3 = await startS3(t)
  const dataDir = dataFolder(t)
  const shop = await startStagedShop(t, await stagedDocument(t), dataDir)
  t.strictSame(await shop.items(), { a: undefined, b: undefined, c: undefined })
  const before = Math.floor(Date.now() / 1000)

  await s3.put(key, lines({ id: 'a', title: 'A' }, { id: 'b', title: 'B' }))
  await shop.shows({ a: { title: 'A' }, b: { title: 'B' }, c: undefined })
  t.match(await shop.logged('items imported'), { namespace: 'shop', store: 'localdb', bucket: 'staging', key, items: 2 })

  await s3.put(key, lines({ id: 'b', title: 'B2' }, { id: 'c', title: 'C' }))
  await shop.shows({ a: undefined, b: { title: 'B2' }, c: { title: 'C' } })
  t.strictSame(s3.downloads, [key, key])
  await eventually('both are counted', async () => await shop.metric(imported) === 2)
  await eventually('the time is told', async () => (await shop.metric('gateway_item_import_timestamp_seconds{namespace="shop",store="localdb"}') ?? 0) >= before)
  await eventually('the last download is removed', () => downloadsIn(dataDir).length === 0)
})

t.test('every format that the command takes is taken, compressed or not, and the newest counts', async t => {
  const s3 = await startS3(t)
  const shop = await startStagedShop(t, await stagedDocument(t), dataFolder(t))
  const uploads: Array<[string, string | Buffer, object?]> = [
    ['1.jsonl.gz', gzipSync(lines({ id: 'a', v: '1' }))],
    ['2.jsonl.gzip', gzipSync(lines({ id: 'a', v: '2' }))],
    ['3.csv', 'id,v\na,3\n'],
    ['4.tsv.gz', gzipSync('id\tv\na\t4\n')],
    ['5.jsonl', gzipSync(lines({ id: 'a', v: '5' })), { ContentEncoding: 'gzip' }]
  ]
  for (const [i, [name, body, more]] of uploads.entries()) {
    await s3.put(`import/shop/${name}`, body, more)
    await shop.shows({ a: { v: String(i + 1) }, b: undefined, c: undefined })
  }
})

t.test('only what lies right under the namespace and tells a format is looked at', async t => {
  const s3 = await startS3(t)
  await s3.put(key, lines({ id: 'a' }))
  for (const other of ['import/shop/notes.md', 'import/shop/old/items.jsonl', 'import/shop2/items.jsonl', 'import/items.jsonl', 'items.jsonl']) await s3.put(other, lines({ id: 'b' }))
  const shop = await startStagedShop(t, await stagedDocument(t), dataFolder(t))
  await shop.shows({ a: {}, b: undefined, c: undefined })
  await s3.listedAgain(3)
  t.strictSame(s3.downloads, [key])
})

t.test('of two gateways that share a data directory one imports', async t => {
  const s3 = await startS3(t)
  const dataDir = dataFolder(t)
  const document = await stagedDocument(t)
  const shops = await Promise.all([startStagedShop(t, document, dataDir), startStagedShop(t, document, dataDir)])
  for (let v = 1; v <= 3; v++) {
    await s3.put(key, lines({ id: 'a', v }))
    await Promise.all(shops.map(async shop => shop.shows({ a: { v }, b: undefined, c: undefined })))
  }
  await s3.listedAgain(6)
  t.strictSame(s3.downloads, [key, key, key])
  const counts = await Promise.all(shops.map(async shop => shop.metric(imported)))
  t.equal((counts[0] ?? 0) + (counts[1] ?? 0), 3)
})

t.test('the configuration of the moment says what is imported', async t => {
  const s3 = await startS3(t)
  const dataDir = dataFolder(t)
  const document = await stagedDocument(t)
  const shop = await startStagedShop(t, { namespaces: {} }, dataDir)
  await s3.put(key, lines({ id: 'a' }))
  shop.source.change(document)
  await shop.logged('items imported')
  await shop.shows({ a: {}, b: undefined, c: undefined })
  shop.source.change({ namespaces: {} })
  await eventually('the namespace is gone', () => shop.app.config.plan.namespaces.size === 0)
  await s3.put(key, lines({ id: 'b' }))
  await eventually('nothing is said of it', async () => await shop.metric('gateway_item_import_timestamp_seconds{namespace="shop",store="localdb"}') === undefined)
  const { listings } = s3
  shop.source.change(document)
  await shop.shows({ a: undefined, b: {}, c: undefined })
  t.ok(s3.listings > listings)
})

t.test('a store that is not the gateway\'s to fill is left alone', async t => {
  const s3 = await startS3(t)
  const dataDir = dataFolder(t)
  await s3.put(key, lines({ id: 'a' }))
  const shop = await startStagedShop(t, await stagedDocument(t, { type: 'personalize' }), dataDir)
  shop.source.change(await stagedDocument(t))
  await shop.shows({ a: {}, b: undefined, c: undefined })
  t.strictSame(s3.downloads, [key])
  t.ok(existsSync(join(dataDir, 'items', 'shop', 'staging-localdb')))
  t.notOk(existsSync(join(dataDir, 'items', 'shop', 'staging-personalize')))
})
