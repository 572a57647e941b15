import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { readRecords, type ReadOptions, type SourceRecord } from '../../src/records/read-records.ts'
import { collectBatches } from '../support/collect-batches.ts'

async function read (t: Test, name: string, content: string | Buffer, options: ReadOptions = { required: [['id']] }): Promise<SourceRecord[]> {
  const file = join(t.testdir(), name)
  writeFileSync(file, content)
  return collectBatches(readRecords(file, options))
}

const found = async (...args: Parameters<typeof read>): Promise<unknown[]> =>
  (await read(...args)).map(record => 'problem' in record ? record.problem : { ...record.record })

const bom = '\ufeff'
const one = [{ id: 'a', title: 'x' }]

t.test('the delimiter of a table is recognised, with a byte order mark, with sep= or without', async t => {
  const tables = [
    'id;title\na;x\n', `${bom}id;title\r\na;x\r\n`, `${bom}sep=;\r\nid;title\r\na;x\r\n`, 'sep=;\nid;title\na;x', 'SEP=|\nid|title\na|x\n', 'id|title\na|x\n', 'id\ttitle\na\tx\n',
    '"id";"title"\n"a";"x"\n', ' id ; title \na;x\n', '\n\nid;title\na;x\n', 'title;id\nx;a\n'
  ]
  for (const content of tables) {
    for (const name of ['i.csv', 'i.tsv', 'I.CSV', 'i']) t.strictSame((await found(t, name, content)).map(record => ({ ...{ id: '', title: '' }, ...record as object })), one, `${name} ${JSON.stringify(content)}`)
  }
})

t.test('a delimiter within a name or a value is none', async t => {
  t.strictSame(await found(t, 'i.csv', 'id,title;sub;more\na,x;y\n'), [{ id: 'a', 'title;sub;more': 'x;y' }])
  t.strictSame(await found(t, 'i.csv', 'id;"a,b,c,d"\na;"x;y"\n'), [{ id: 'a', 'a,b,c,d': 'x;y' }])
  t.strictSame(await found(t, 'i.csv', 'id\na;b\n'), [{ id: 'a;b' }], 'one column')
})

t.test('line numbers count the sep= line', async t => {
  t.match(await read(t, 'i.csv', 'sep=;\nid;title\na;x\nb\n'), [{ line: 3 }, { line: 4, problem: /expected 2 columns/ }])
})

t.test('a table without the id column is refused, and the error has the columns that were found', async t => {
  for (const content of ['sku,title\na,x\n', 'sku;title\na;x\n', 'sku\ttitle\na\tx\n']) await t.rejects(read(t, 'i.csv', content), { name: 'ImportError', message: /no column id; the file has sku, title$/m })
  await t.rejects(read(t, 'i.csv', 'id^title\na^x\n'), { message: /no column id; the file has id\^title/ })
  await t.rejects(read(t, 'i.csv', 'sku;title\na;x\n', { columns: { id: 'item' }, required: [['id']] }), { message: /no column item; the file has sku, title/ })
  await t.rejects(read(t, 'i.csv', `${'x'.repeat(300)},${'y'.repeat(300)}\n`), { message: /…/ }, 'a long header is cut')
})

t.test('a column that is there twice in the header is refused', async t => {
  await t.rejects(read(t, 'i.csv', 'id,title,title\na,x,y\n'), { message: /more than one column title; the file has id, title, title/ })
  await t.rejects(read(t, 'i.csv', 'id, id\na,b\n'), { message: /more than one column id/ })
  await t.rejects(read(t, 'i.csv', 'id;;\na;;\n'), { message: /more than one column without a name/ })
  await t.rejects(read(t, 'i.csv', 'sku,sku\na,b\n', { columns: { id: 'sku' } }), { message: /more than one column sku/ })
  t.strictSame(await found(t, 'i.csv', 'sku,x,x\na,1,2\n', { columns: { id: 'sku' } }), [{ id: 'a' }], 'unless --columns leaves it out')
})

t.test('content that is no UTF-8 text is refused by its name, with the file and the remedy', async t => {
  const utf16 = Buffer.from('id,title\na,x\n', 'utf16le')
  for (const content of [utf16, Buffer.concat([Buffer.from([0xff, 0xfe]), utf16]), Buffer.concat([Buffer.from([0xfe, 0xff]), Buffer.from(utf16).swap16()])]) {
    await t.rejects(read(t, 'i.csv', content), { message: /i\.csv is UTF-16; expected .*UTF-8/ })
  }
  await t.rejects(read(t, 'i.csv', Buffer.from('id,title\na,caf\xe9\n', 'latin1')), { message: /i\.csv is not UTF-8: save it as UTF-8/ })
  await t.rejects(read(t, 'i.csv', 'PK\x03\x04 and so on'), { message: /i\.csv is a ZIP archive or an Excel workbook; expected/ })
  await t.rejects(read(t, 'i', 'PAR1 and so on'), { message: /Parquet/ })
})

t.test('a name in any case, without an extension or with a number behind the dot is read by content', async t => {
  const json = '{"id":"a","title":"x"}\n'
  for (const name of ['ITEMS.JSONL', 'Items.Json', 'items', 'items.jsonlines', 'items.000', 'part-00000', 'part-00000.c000', 'items.0003_part_00', '.items', 'items.csv', 'items.txt']) {
    t.strictSame(await found(t, name, json), one, name)
    t.strictSame(await found(t, `${name}.GZ`, gzipSync(json)), one, `${name}.GZ`)
    t.strictSame(await found(t, name, gzipSync(json)), one, `${name}, compressed`)
  }
  t.strictSame(await found(t, 'items.jsonl.gz', gzipSync(gzipSync(json))), one, 'compressed twice')
  t.strictSame(await found(t, 'items.csv.gz', gzipSync('')), [], 'an empty one')
})
