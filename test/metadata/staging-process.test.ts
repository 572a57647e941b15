import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { eventually } from '../support/eventually.ts'
import { startS3 } from '../support/s3.ts'
import { startServer } from '../support/server-process.ts'
import { dataFolder, stagedDocument, startStagedShop } from '../support/staged-shop.ts'

const key = 'import/shop/items.jsonl'
const beside = { inProcess: false }
const remains = (dataDir: string): string[] => readdirSync(dataDir, { recursive: true, encoding: 'utf8' }).filter(name => /download/.test(name))

t.test('a process beside the gateway imports, and tells how that went', async t => {
  const s3 = await startS3(t)
  const dataDir = dataFolder(t)
  const shop = await startStagedShop(t, await stagedDocument(t), dataDir, beside)
  await s3.put(key, '{"id":"a"}\n{"id":"b"}\n')
  await shop.shows({ a: {}, b: {}, c: undefined })
  t.match(await shop.logged('items imported'), { items: 2, key })
  await s3.put(key, 'nonsense\n')
  t.match(await shop.logged('refused'), { key, problem: /line 1: is not JSON/ })
  s3.interfere((request, response) => {
    if (request.url!.includes('list-type=2')) return false
    response.writeHead(403).end()
    return true
  })
  await s3.put(key, '{"id":"c"}\n')
  t.match(await shop.logged('could not be imported'), { level: 40, store: 'localdb' })
  s3.interfere()
  await shop.shows({ a: undefined, b: undefined, c: {} })
  t.strictSame(remains(dataDir), [])
})

t.test('it ends with the gateway, and leaves nothing', async t => {
  const s3 = await startS3(t)
  const dataDir = dataFolder(t)
  let cut = false
  s3.interfere((request, response) => {
    if (request.url!.includes('list-type=2')) return false
    response.writeHead(200, { 'content-length': '11' }).write('{"id"')
    response.once('close', () => { cut = true })
    return true
  })
  await s3.put(key, '{"id":"a"}\n')
  const shop = await startStagedShop(t, await stagedDocument(t), dataDir, beside)
  await eventually('the download has begun', () => s3.downloads.length > 0, 40_000)
  const started = performance.now()
  await shop.app.close()
  t.ok(performance.now() - started < 1_500, 'it closes')
  await eventually('the process is gone', () => cut)
  t.strictSame(remains(dataDir), [])
})

t.test('the gateway as it is run imports from STAGING_BUCKET', async t => {
  const s3 = await startS3(t)
  const dataDir = dataFolder(t)
  const configFile = join(dataDir, 'config.json')
  writeFileSync(configFile, JSON.stringify(await stagedDocument(t)))
  await s3.put('import/shop/items.jsonl.gz', gzipSync('{"id":"b","v":1.50}\n'))
  const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('AWS_'))) as Record<string, string>
  const { url, end } = await startServer(t, { ...environment, CONFIG_FILE: configFile, DATA_DIR: dataDir, STAGING_BUCKET: 'staging' })
  await eventually('the answer is decorated', async () => (await (await fetch(`${url}/recommend-items/shop/home/nobody`)).text()).includes('{"itemId":"b","metadata":{"v":1.50}}'), 40_000)
  const [code] = await end('SIGTERM')
  t.equal(code, 0)
})
