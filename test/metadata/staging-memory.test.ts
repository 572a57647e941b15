import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { openBucket } from '../../src/metadata/staging/bucket.ts'
import { importNewest } from '../../src/metadata/staging/import.ts'
import { eventually } from '../support/eventually.ts'
import { startS3 } from '../support/s3.ts'
import { dataFolder, stagedDocument, startStagedShop } from '../support/staged-shop.ts'
import { testBucketPlace } from '../support/test-bucket.ts'

const key = 'import/shop/items.jsonl'
const lines = (...items: object[]): string => items.map(item => `${JSON.stringify(item)}\n`).join('')
const imported = 'gateway_item_imports_total{outcome="imported"}'

t.test('a catalog that is refused leaves the items, is told once, and is not fetched again before it changes', async t => {
  const s3 = await startS3(t)
  const dataDir = dataFolder(t)
  const shop = await startStagedShop(t, await stagedDocument(t), dataDir)
  await s3.put(key, lines({ id: 'a', v: 1 }))
  await shop.shows({ a: { v: 1 }, b: undefined, c: undefined })

  // S3 tells seconds only, and within one the names decide.
  const bad: Array<[string, string | Buffer, RegExp]> = [
    ['j1.jsonl', `${lines({ id: 'a', v: 2 })}nonsense\n{"title":"no id"}\n`, /line 2: is not JSON\n.*line 3: id: /],
    ['j2.jsonl.gz', gzipSync(lines(...Array.from({ length: 1000 }, (_, i) => ({ id: `${i}` })))).subarray(0, 100), /^import\/shop\/j2.jsonl.gz is not a sound .gz file/],
    ['j3.jsonl', Buffer.from([0x7b, 0xff, 0xfe]), /not UTF-8/],
    ['j4.jsonl', '\n', /^there are no items in import\/shop\/j4.jsonl$/],
    ['j5.csv', 'name\nx\n', /line 2: id/]
  ]
  for (const [name, body, problem] of bad) {
    await s3.put(`import/shop/${name}`, body)
    await eventually(`${name} is refused`, () => shop.log.some(({ key }) => key === `import/shop/${name}`))
    t.match(shop.log.find(({ key }) => key === `import/shop/${name}`), { level: 50, msg: /refused/, namespace: 'shop', problem }, name)
  }
  await s3.listedAgain(4)
  t.equal(shop.log.filter(({ msg }) => String(msg).includes('refused')).length, bad.length)
  t.equal(s3.downloads.length, 1 + bad.length, 'each was fetched once')
  t.equal(await shop.metric('gateway_item_imports_total{outcome="refused"}'), bad.length)
  t.strictSame(await shop.items(), { a: { v: 1 }, b: undefined, c: undefined })
  t.strictSame(readdirSync(dataDir, { recursive: true, encoding: 'utf8' }).filter(name => name.includes('download')), [])

  for (const [name] of bad) await s3.remove(`import/shop/${name}`)
  await s3.listedAgain(3)
  t.equal(s3.downloads.length, 1 + bad.length, 'what is newest again was imported before')
  await s3.put(key, lines({ id: 'a', v: 3 }))
  await shop.shows({ a: { v: 3 }, b: undefined, c: undefined })
})

t.test('a restart imports nothing again, and refuses nothing again', async t => {
  const s3 = await startS3(t)
  const dataDir = dataFolder(t)
  const document = await stagedDocument(t)
  await s3.put(key, lines({ id: 'a' }))
  const first = await startStagedShop(t, document, dataDir)
  await first.shows({ a: {}, b: undefined, c: undefined })
  await s3.put('import/shop/newer.jsonl', 'nonsense')
  await first.logged('refused')
  await first.app.close()

  const second = await startStagedShop(t, document, dataDir)
  await s3.listedAgain(4)
  t.strictSame(await second.items(), { a: {}, b: undefined, c: undefined })
  t.strictSame(s3.downloads, [key, 'import/shop/newer.jsonl'])
  t.equal(await second.metric(imported), 0)
  t.ok(await second.metric('gateway_item_import_timestamp_seconds{namespace="shop",store="localdb"}'), 'the last import is known')
})

t.test('what a process that was killed had downloaded is removed at the next start', async t => {
  const s3 = await startS3(t)
  const dataDir = dataFolder(t)
  const left = join(dataDir, 'items', 'gone', 'staging-localdb')
  mkdirSync(left, { recursive: true })
  writeFileSync(join(left, 'download.jsonl'), 'half')
  writeFileSync(join(left, 'LOCK'), `${2 ** 22 + 1} ${hostname()}`)
  writeFileSync(join(left, 'STAGED'), 'half a memory{')
  await startStagedShop(t, await stagedDocument(t), dataDir)
  await s3.listedAgain(1)
  t.strictSame(readdirSync(left), ['STAGED'])
})

t.test('a memory that makes no sense is as good as none', async t => {
  const s3 = await startS3(t)
  const dataDir = dataFolder(t)
  const directory = join(dataDir, 'items', 'shop', 'staging-localdb')
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'STAGED'), '{"imported":')
  await s3.put(key, lines({ id: 'a' }))
  const shop = await startStagedShop(t, await stagedDocument(t), dataDir)
  await shop.shows({ a: {}, b: undefined, c: undefined })
})

t.test('of many looks at once one imports', async t => {
  const s3 = await startS3(t)
  const dataDir = dataFolder(t)
  await s3.put(key, lines({ id: 'a' }))
  const bucket = await openBucket(testBucketPlace)
  t.teardown(() => bucket.close())
  let loads = 0
  const scope = { bucket, dataDir, now: Date.now, signal: new AbortController().signal, load: async () => ++loads }
  const looks = await Promise.all(Array.from({ length: 60 }, async () => importNewest({ namespace: 'shop', config: { type: 'localdb' }, syncInterval: 5 }, scope)))
  t.equal(looks.filter(({ outcome }) => outcome === 'imported').length, 1)
  t.equal(loads, 1)
})
