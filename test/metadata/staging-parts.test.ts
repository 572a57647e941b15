import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { eventually } from '../support/eventually.ts'
import { startS3, type TestS3 } from '../support/s3.ts'
import { dataFolder, stagedDocument, startStagedShop, type StagedShop } from '../support/staged-shop.ts'

const folder = 'import/shop/'
const line = (id: string, v: number): string => `${JSON.stringify({ id, v })}\n`

async function start (t: Test, store: object = { type: 'localdb' }, settleAfter?: number): Promise<{ s3: TestS3, shop: StagedShop, imports: () => unknown[] }> {
  const s3 = await startS3(t)
  const shop = await startStagedShop(t, await stagedDocument(t, store), dataFolder(t), settleAfter === undefined ? {} : { settleAfter })
  return { s3, shop, imports: () => shop.log.filter(({ msg }) => msg === 'items imported').map(({ items }) => items) }
}

t.test('a catalog in parts is loaded whole and swapped once', async t => {
  const { s3, shop, imports } = await start(t)
  for (const [i, id] of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].entries()) await s3.put(`${folder}part-0000${i}-x.json.gz`, gzipSync(line(id, 1)))
  await s3.put(`${folder}_SUCCESS`, '')
  await shop.shows({ a: { v: 1 }, b: { v: 1 }, c: { v: 1 } })
  t.match(await shop.logged('items imported'), { items: 8, key: `${folder}part-00000-x.json.gz and 7 more` })
  await s3.listedAgain(3)
  t.strictSame(imports(), [8])
  t.equal(s3.downloads.length, 8)
  t.strictSame(shop.log.filter(({ msg }) => String(msg).includes('passed over')).map(({ objects }) => objects), [[{ key: `${folder}_SUCCESS`, reason: 'a marker: a name that begins with "_" or "."' }]], 'the marker is named once')
})

t.test('parts without a marker wait until no more come', async t => {
  const { s3, shop, imports } = await start(t, { type: 'localdb' }, 600)
  for (const [i, id] of ['a', 'b', 'c'].entries()) {
    await s3.put(`${folder}export/items_000${i}_part_00`, line(id, 1))
    await s3.listedAgain(1)
  }
  await shop.shows({ a: { v: 1 }, b: { v: 1 }, c: { v: 1 } })
  t.strictSame(imports(), [3])
})

t.test('an id that several parts have is that of the part that was uploaded last', async t => {
  const { s3, shop } = await start(t)
  await s3.put(`${folder}part-0.csv`, 'id,v\na,1\nb,1\n')
  await s3.put(`${folder}part-1.csv`, 'id;v\na;2\n')
  await s3.put(`${folder}_SUCCESS`, '')
  await shop.shows({ a: { v: '2' }, b: { v: '1' }, c: undefined })
})

t.test('a bad line of a part is told with the name of the part, and nothing of the others is loaded', async t => {
  const { s3, shop, imports } = await start(t)
  await s3.put(`${folder}part-0.json`, line('a', 1))
  await s3.put(`${folder}part-1.json`, 'nonsense\n')
  await s3.put(`${folder}_SUCCESS`, '')
  t.match(await shop.logged('refused'), { problem: /part-1\.json: refused, nothing was imported:\n {2}line 1: is not JSON/ })
  t.strictSame(imports(), [])
})

t.test('a catalog that would shrink the store to less than half is refused, until the document allows it', async t => {
  const { s3, shop, imports } = await start(t)
  await s3.put(`${folder}items.jsonl`, ['a', 'b', 'c', 'd', 'e'].map(id => line(id, 1)).join(''))
  await shop.shows({ a: { v: 1 }, b: { v: 1 }, c: { v: 1 } })
  await s3.put(`${folder}items.jsonl`, line('a', 2) + line('b', 2))
  t.match(await shop.logged('refused'), { problem: /has only 2 items, less than half of the 5 items in use.*--force.*"shrink": true/ })
  t.strictSame(await shop.items(), { a: { v: 1 }, b: { v: 1 }, c: { v: 1 } })
  shop.source.change(await stagedDocument(t, { type: 'localdb', shrink: true }))
  await shop.shows({ a: { v: 2 }, b: { v: 2 }, c: undefined })
  t.strictSame(imports(), [5, 2])
})

t.test('gzip is recognised whatever Content-Encoding and name say, in any case, and other encodings are refused by name', async t => {
  const { s3, shop } = await start(t, { type: 'localdb' }, 50)
  const uploads: Array<[string, Buffer | string, string?]> = [
    ['items.jsonl', gzipSync(line('a', 0)), 'aws-chunked,gzip'],
    ['items2.jsonl', gzipSync(line('a', 1)), 'X-GZIP'],
    ['ITEMS.JSONL.GZ', gzipSync(line('a', 2))],
    ['items', line('a', 3)],
    ['items3', gzipSync(line('a', 4)), 'GZip'],
    ['items.jsonlines', line('a', 5), 'identity'],
    ['sub/folder/Items.Json', line('a', 6), 'aws-chunked'],
    ['both.jsonl.gz', gzipSync(line('a', 7)), 'gzip']
  ]
  for (const [i, [name, body, ContentEncoding]] of uploads.entries()) {
    await s3.put(folder + name, body, { ContentEncoding })
    await shop.shows({ a: { v: i }, b: undefined, c: undefined })
    // Of two objects of the same second, the last by name would count.
    await s3.remove(folder + name)
  }
  await s3.put(`${folder}items.br.jsonl`, line('b', 1), { ContentEncoding: 'aws-chunked, br' })
  t.match(await shop.logged('refused'), { problem: /items\.br\.jsonl has the Content-Encoding br; expected gzip or none/ })
})

t.test('a part that vanishes while it is being cleaned up does not stop the others from being served', async t => {
  const { s3, shop, imports } = await start(t)
  for (const [i, id] of ['a', 'b', 'c'].entries()) await s3.put(`${folder}part-${i}.json`, line(id, 1))
  await s3.put(`${folder}_SUCCESS`, '')
  await shop.shows({ a: { v: 1 }, b: { v: 1 }, c: { v: 1 } })
  await s3.remove(`${folder}part-1.json`)
  await s3.listedAgain(4)
  await eventually('the listing was taken', () => imports().length > 0)
  t.strictSame(imports(), [3], 'what is left of a catalog is no newer one')
  t.strictSame(await shop.items(), { a: { v: 1 }, b: { v: 1 }, c: { v: 1 } })
})
