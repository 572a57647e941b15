import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { readRecords, type ReadOptions, type SourceRecord } from '../../src/records/read-records.ts'
import { collectBatches } from '../support/collect-batches.ts'

async function read (t: Test, name: string, content: string | Buffer, options?: ReadOptions): Promise<SourceRecord[]> {
  const file = join(t.testdir(), name)
  writeFileSync(file, content)
  return collectBatches(readRecords(file, options))
}

const plain = (records: SourceRecord[]): unknown[] => JSON.parse(JSON.stringify(records)) as unknown[]

t.test('the name tells the format', async t => {
  const contents = { json: '{"id":"a","title":"x"}', csv: 'id,title\na,x\n', tsv: 'id\ttitle\na\tx\n' }
  const names = { jsonl: contents.json, ndjson: contents.json, json: contents.json, csv: contents.csv, tsv: contents.tsv, tab: contents.tsv, txt: contents.tsv, CSV: contents.csv }
  for (const [name, content] of Object.entries(names)) {
    for (const [file, bytes] of [[`items.v2.${name}`, content], [`items.${name}.gz`, gzipSync(content)]] as const) {
      const [first, ...more] = await read(t, file, bytes)
      t.match(first, { record: { id: 'a', title: 'x' } }, file)
      t.strictSame(more, [])
    }
  }
})

t.test('a name that tells no format is an error that tells the formats', async t => {
  for (const name of ['items.xml', 'items', 'items.gz', 'items.zip']) await t.rejects(read(t, name, ''), { message: /\.jsonl, .*\.csv/ })
})

t.test('a file that is not there is an error', async t => {
  await t.rejects(collectBatches(readRecords(join(t.testdir(), 'none.csv'))), { code: 'ENOENT' })
})

t.test('JSON lines that are no objects are problems of those lines', async t => {
  const records = await read(t, 'items.jsonl', '{"a":1}\n\n{"a":\n[1]\nnull\n"x"\n{"a":2}')
  t.strictSame(records.map(record => 'problem' in record ? [record.line, 'bad'] : [record.line, record.record]),
    [[1, { a: 1 }], [3, 'bad'], [4, 'bad'], [5, 'bad'], [6, 'bad'], [7, { a: 2 }]])
})

t.test('columns choose and rename fields in every format', async t => {
  const columns = { id: 'ITEM', title: 'NAME' }
  for (const [name, content] of [['i.csv', 'ITEM,NAME,X\na,n,1\n'], ['i.tsv', 'X\tNAME\tITEM\n1\tn\ta\n'], ['i.jsonl', '{"X":1,"ITEM":"a","NAME":"n"}']] as const) {
    t.match(plain(await read(t, name, content, { columns })), [{ record: { id: 'a', title: 'n' } }])
    t.notMatch(plain(await read(t, name, content, { columns })), [{ record: { X: /1/ } }])
  }
})

t.test('a column that a table does not have is an error that names it and those that there are', async t => {
  const columns = { id: 'item', title: 'name' }
  await t.rejects(read(t, 'i.csv', 'id,name\na,b\n', { columns }), { message: /no column item.*id, name/ })
  await t.rejects(read(t, 'i.csv', '\n\n\nid,name\n"a\n\n\n\n",b\n', { columns }), { message: /no column item/ }, 'also where the first record is long')
})

t.test('a quote in a tab-separated title is just that', async t => {
  const records = await read(t, 'i.tsv', 'id\ttitle\na\t"Heroes" of 12" LP\nb\t"\nc\tthe "end\n')
  t.match(plain(records), [{ line: 2, record: { title: '"Heroes" of 12" LP' } }, { line: 3, record: { title: '"' } }, { line: 4, record: { title: 'the "end' } }])
})

t.test('quoted comma-separated values hold commas, quotes and newlines', async t => {
  const records = await read(t, 'i.csv', 'id,title\na,"one, ""two""\nthree"\nb,x\n')
  t.match(plain(records), [{ record: { id: 'a', title: 'one, "two"\nthree' } }, { line: 4, record: { id: 'b', title: 'x' } }])
})

t.test('a byte order mark and carriage returns are no part of a table', async t => {
  t.strictSame(plain(await read(t, 'i.csv', '\uFEFFid,title\r\na,x\r\n\r\nb,y\r\n')), [{ line: 2, record: { id: 'a', title: 'x' } }, { line: 4, record: { id: 'b', title: 'y' } }])
})

t.test('the header line may end otherwise than the lines below it', async t => {
  const expected = [{ line: 2, record: { id: 'a' } }, { line: 3, record: { id: 'b' } }]
  for (const content of ['id\r\na\nb\n', 'id\na\r\nb\r\n', 'id\ra\rb']) t.strictSame(plain(await read(t, 'i.csv', content)), expected, JSON.stringify(content))
})

t.test('a byte order mark is no part of JSON lines either', async t => {
  t.match(await read(t, 'i.jsonl', '\uFEFF{"a":1}\n'), [{ line: 1, record: { a: 1 } }])
})

t.test('a row with too many or too few fields is a problem of its line', async t => {
  const records = await read(t, 'i.csv', 'id,title\na,x,y\nb,x\nc\nd,y\n')
  t.strictSame(records.map(record => 'problem' in record ? [record.line, 'bad'] : [record.line, record.record['id']]), [[2, 'bad'], [3, 'b'], [4, 'bad'], [5, 'd']])
})

t.test('a quote that does not end is told and no record', async t => {
  const records = await read(t, 'i.csv', 'id,title\na,"x\n')
  t.ok(records.length > 0 && records.every(record => 'problem' in record))
})

t.test('a key called __proto__ is a key', async t => {
  const [record] = await read(t, 'i.jsonl', '{"id":"a","__proto__":{"polluted":true}}')
  t.equal(JSON.stringify((record as { record: object }).record), '{"id":"a","__proto__":{"polluted":true}}')
  const [selected] = await read(t, 'i.jsonl', '{"id":"a","__proto__":1}', { columns: JSON.parse('{"id":"id","__proto__":"__proto__"}') as Record<string, string> })
  t.equal(JSON.stringify((selected as { record: object }).record), '{"id":"a","__proto__":1}')
  const [row] = await read(t, 'i.csv', 'id,__proto__\na,x\n')
  t.equal(JSON.stringify((row as { record: object }).record), '{"id":"a","__proto__":"x"}')
  t.equal(({} as Record<string, unknown>)['polluted'], undefined)
})

t.test('a broken compressed file is an error and no hang', async t => {
  const values = Array.from({ length: 50_000 }, (_, i) => Math.sin(i))
  for (const [name, text] of [['i.jsonl.gz', values.map(v => `{"v":${v}}`).join('\n')], ['i.csv.gz', `v\n${values.join('\n')}`]] as const) {
    const whole = gzipSync(text)
    const half = whole.length >> 1
    const broken = Buffer.from(whole)
    broken.fill(0xff, half, half + 100)
    await t.rejects(read(t, name, whole.subarray(0, half)), { message: /gz file/ }, 'truncated')
    await t.rejects(read(t, name, broken), { message: /gz file/ }, 'damaged')
    await t.rejects(read(t, name, 'plain text'), { message: /gz file/ }, 'not compressed')
  }
})

t.test('a reader may stop in the middle', async t => {
  const file = join(t.testdir(), 'i.csv')
  writeFileSync(file, `id\n${'x\n'.repeat(100_000)}`)
  const records = readRecords(file)
  const first = await records.next()
  t.ok(first.done === false && first.value.length < 100_000, 'records come in batches')
  await t.resolves(records.return(undefined))
})

t.test('progress is told in bytes of the file as it is on the disk', async t => {
  const bytes = gzipSync('{"id":"a"}\n'.repeat(1000))
  const progress: Array<[number, number]> = []
  await read(t, 'i.jsonl.gz', bytes, { onProgress: (done, total) => { progress.push([done, total]) } })
  t.strictSame(progress.at(-1), [bytes.length, bytes.length])
})
