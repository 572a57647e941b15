import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { eventually } from '../support/eventually.ts'
import { startS3, type Interference } from '../support/s3.ts'
import { dataFolder, stagedDocument, startStagedShop } from '../support/staged-shop.ts'
import { testBucket, testBucketPlace } from '../support/test-bucket.ts'
import { openBucket } from '../../src/metadata/staging/bucket.ts'

const key = 'import/shop/items.jsonl'
const failed = 'gateway_item_imports_total{outcome="failed"}'
const isList = (url: string | undefined): boolean => url!.includes('list-type=2')
const never = new AbortController().signal

const refuse = (status: number, code: string, which: (url: string | undefined) => boolean): Interference => (request, response) => {
  if (!which(request.url)) return false
  response.writeHead(status, { 'content-type': 'application/xml' }).end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`)
  return true
}

const troubles: Array<[string, Interference, RegExp]> = [
  ['access to the bucket denied', refuse(403, 'AccessDenied', isList), /AccessDenied/],
  ['no such bucket', refuse(404, 'NoSuchBucket', isList), /NoSuchBucket/],
  ['access to the object denied', refuse(403, 'AccessDenied', url => !isList(url)), /AccessDenied/],
  ['the object replaced meanwhile', refuse(412, 'PreconditionFailed', url => !isList(url)), /PreconditionFailed/],
  ['S3 out of order', refuse(503, 'SlowDown', () => true), /SlowDown/],
  ['a page of a proxy', (_request, response) => { response.writeHead(502, { 'content-type': 'text/html' }).end('<html>'); return true }, /./],
  ['connections reset', request => { request.socket.resetAndDestroy(); return true }, /ECONNRESET/],
  ['an object cut off', (request, response) => {
    if (isList(request.url)) return false
    response.writeHead(200, { 'content-length': '11' }).write('{"id"', () => { response.destroy() })
    return true
  }, /aborted|ECONNRESET|Premature/],
  ['an object that is longer than listed', (request, response) => {
    if (isList(request.url)) return false
    response.end('{"id":"a"}\n{"id":"b"}\n')
    return true
  }, /another length/],
  ['an object other than listed', (request, response) => {
    if (isList(request.url)) return false
    response.writeHead(200, { etag: '"other"' }).end('{"id":"b"}\n')
    return true
  }, /replaced/]
]

t.test('whatever keeps an import from being done, the items stay, it is told, and tried again until it succeeds', async t => {
  const s3 = await startS3(t)
  const dataDir = dataFolder(t)
  const shop = await startStagedShop(t, await stagedDocument(t), dataDir)
  await s3.put(key, '{"id":"c"}\n')
  await shop.shows({ a: undefined, b: undefined, c: {} })
  s3.interfere(troubles[0]![1])
  await s3.put(key, '{"id":"a"}\n')
  const failures = async (): Promise<number> => await shop.metric(failed) ?? 0
  for (const [name, interference, cause] of troubles) {
    s3.interfere(interference)
    const before = await failures()
    await eventually(`${name} is told`, () => shop.log.some(line => cause.test(String(line['cause']))))
    await eventually(`${name}: it is tried again`, async () => await failures() >= before + 3)
    t.match(shop.log.at(-1), { level: 40, msg: /could not be imported/, namespace: 'shop', store: 'localdb', bucket: testBucket, prefix: 'import/shop/', cause }, name)
    t.strictSame(await shop.items(), { a: undefined, b: undefined, c: {} }, name)
    shop.log.length = 0
  }
  s3.interfere()
  await shop.shows({ a: {}, b: undefined, c: undefined })
  await eventually('no download is left', () => !readdirSync(dataDir, { recursive: true, encoding: 'utf8' }).some(file => file.includes('download')))
})

t.test('a download under way ends with the gateway, within a second, and leaves nothing', async t => {
  const s3 = await startS3(t)
  const dataDir = dataFolder(t)
  s3.interfere((request, response) => {
    if (isList(request.url)) return false
    response.writeHead(200, { 'content-length': '11' }).write('{"id"')
    return true
  })
  await s3.put(key, '{"id":"a"}\n')
  const shop = await startStagedShop(t, await stagedDocument(t), dataDir)
  await eventually('the download has begun', () => s3.downloads.length > 0)
  const started = performance.now()
  await shop.app.close()
  t.ok(performance.now() - started < 1_000, 'it closes')
  t.strictSame(readdirSync(dataDir, { recursive: true, encoding: 'utf8' }).filter(file => /download|LOCK/.test(file)), [])
  t.notOk(shop.log.some(({ msg }) => String(msg).includes('could not')), 'nothing has failed')
})

t.test('a download of which nothing more comes is given up', async t => {
  const s3 = await startS3(t)
  const directory = dataFolder(t)
  await s3.put(key, '{"id":"a"}\n')
  const bucket = await openBucket(testBucketPlace, { stallAfter: 50 })
  t.teardown(() => bucket.close())
  const object = (await bucket.newest('import/shop/', never))!
  s3.interfere((_request, response) => {
    response.writeHead(200, { 'content-length': '11' }).write('{"id"')
    return true
  })
  await t.rejects(bucket.download(object, join(directory, 'download'), never), { message: /nothing more came of import\/shop\/items.jsonl for 50 ms/ })
})

t.test('an object has to begin in time, and may then take as long as it comes', async t => {
  const s3 = await startS3(t)
  const directory = dataFolder(t)
  await s3.put(key, '{"id":"a"}\n')
  const bucket = await openBucket(testBucketPlace, { answerWithin: 200 })
  t.teardown(() => bucket.close())
  const object = (await bucket.newest('import/shop/', never))!
  let finish: (() => void) | undefined
  s3.interfere((_request, response) => {
    response.writeHead(200, { 'content-length': '11' }).write('{"id"')
    finish = () => { response.end(':"a"}\n') }
    return true
  })
  const downloading = bucket.download(object, join(directory, 'download'), never)
  await eventually('the object has begun', () => finish !== undefined)
  s3.interfere(() => true)
  await t.rejects(bucket.download(object, join(directory, 'other'), never), { name: 'AbortError' })
  // A request that came later has had its time.
  finish!()
  t.equal(readFileSync(await downloading, 'utf8'), '{"id":"a"}\n')
})

t.test('a listing of several pages is read to its end, one of too many is refused', async t => {
  const s3 = await startS3(t)
  const bucket = await openBucket(testBucketPlace)
  t.teardown(() => bucket.close())
  const page = (n: number, more: boolean): string => `<?xml version="1.0"?><ListBucketResult><IsTruncated>${more}</IsTruncated>
    ${more ? `<NextContinuationToken>${n + 1}</NextContinuationToken>` : ''}<Contents><Key>import/shop/${n}.jsonl</Key><ETag>&quot;tag-${n}&quot;</ETag>
    <Size>1</Size><LastModified>2026-01-01T00:00:0${n % 10}.000Z</LastModified></Contents></ListBucketResult>`
  let pages = 3
  s3.interfere((request, response) => {
    const n = Number(new URL(request.url!, s3.url).searchParams.get('continuation-token') ?? 1)
    response.writeHead(200, { 'content-type': 'application/xml' }).end(page(n, n < pages))
    return true
  })
  t.strictSame(await bucket.newest('import/shop/', never), { key: 'import/shop/3.jsonl', tag: 'tag-3', size: 1, madeAt: Date.UTC(2026, 0, 1, 0, 0, 3) })
  pages = 21
  await t.rejects(bucket.newest('import/shop/', never), { message: /more than 20000 objects under import\/shop\// })
})

t.test('an object that the disk has no room for, or that is too large, is not fetched', async t => {
  const s3 = await startS3(t)
  const dataDir = dataFolder(t)
  const shop = await startStagedShop(t, await stagedDocument(t), dataDir)
  const list = (size: number): Interference => (request, response) => {
    if (!isList(request.url)) return false
    response.writeHead(200, { 'content-type': 'application/xml' }).end(`<?xml version="1.0"?><ListBucketResult><Contents><Key>${key}</Key><ETag>"${size}"</ETag>
      <Size>${size}</Size><LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents></ListBucketResult>`)
    return true
  }
  s3.interfere(list(20 * 1024 ** 3 + 1))
  t.match(await shop.logged('refused'), { key, problem: /21474836481 bytes; expected at most 21474836480/ })
  const bucket = await openBucket(testBucketPlace)
  t.teardown(() => bucket.close())
  await t.rejects(bucket.download({ key, tag: 'x', size: 2 ** 60, madeAt: 0 }, join(dataDir, 'download'), never), { name: 'DiskFullError' })
  t.strictSame(s3.downloads, [])
})
