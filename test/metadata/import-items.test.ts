import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { openCatalog } from '../../src/metadata/catalog.ts'
import { localDbDirectory } from '../../src/metadata/localdb/files.ts'
import { loadLocalDb } from '../../src/metadata/localdb/load.ts'
import { openLocalDb } from '../../src/metadata/localdb/open.ts'
import { ImportError } from '../../src/records/import-error.ts'
import type { ReadOptions } from '../../src/records/read-records.ts'

const signal = new AbortController().signal

function importing (t: Test) {
  const dataDir = t.testdir()
  const directory = localDbDirectory(dataDir, 'shop')
  return {
    import: async (name: string, content: string | Buffer, options: ReadOptions = {}): Promise<number> => {
      const file = join(dataDir, name)
      writeFileSync(file, content)
      return loadLocalDb(await openCatalog(file, options), { dataDir, namespace: 'shop' })
    },
    stored: async (...ids: string[]): Promise<Record<string, unknown>> => {
      const store = await openLocalDb(directory, { onError: error => { throw error } })
      const found = await store.get(ids, signal)
      await store.close()
      return Object.fromEntries([...found].map(([id, text]) => [id, JSON.parse(text) as unknown]))
    },
    written: async (...ids: string[]): Promise<Record<string, string>> => {
      const store = await openLocalDb(directory, { onError: error => { throw error } })
      const found = await store.get(ids, signal)
      await store.close()
      return Object.fromEntries(found)
    },
    left: (): string[] => existsSync(directory) ? readdirSync(directory).sort() : []
  }
}

t.test('a catalog takes the place of the one before', async t => {
  const { import: take, stored, left } = importing(t)
  t.equal(await take('items.jsonl', '{"id":"a","title":"A","price":1.5,"tags":["x"]}\n{"id":"b"}\n'), 2)
  t.strictSame(await stored('a', 'b', 'c'), { a: { title: 'A', price: 1.5, tags: ['x'] }, b: {} })
  t.equal(await take('items.jsonl', '{"id":"c","title":"C"}'), 1)
  t.strictSame(await stored('a', 'b', 'c'), { c: { title: 'C' } })
  t.equal(left().length, 2, 'the pointer and one generation')
})

t.test('a file is another catalog each time that it is named', async t => {
  const file = join(t.testdir({ 'items.csv': 'sku,title\na,A\n' }), 'items.csv')
  const tag = async (): Promise<string> => (await openCatalog(file)).tag
  t.not(await tag(), await tag(), 'who names it wants it imported')
})

t.test('a bad line leaves the live items untouched and nothing behind', async t => {
  const { import: take, stored, left } = importing(t)
  await take('items.jsonl', '{"id":"a","v":1}')
  const before = left()
  const lines = ['{"id":"a","v":2}', 'nonsense', '{"title":"no id"}', '{"id":""}', '{"id":{}}', '[]', '', `{"id":"${'x'.repeat(257)}"}`, '{"id":"b"}']
  const refusal: unknown = await take('items.jsonl', lines.join('\n')).catch((error: unknown) => error)
  t.ok(refusal instanceof ImportError)
  t.strictSame((refusal as ImportError).lines.listed.map(({ line }) => line), [2, 3, 4, 5, 6, 8])
  t.match((refusal as ImportError).message, /line 3: id/)
  t.strictSame(left(), before)
  t.strictSame(await stored('a', 'b'), { a: { v: 1 } })
})

t.test('an import that fails leaves nothing, also where it was the first', async t => {
  const { import: take, left } = importing(t)
  await t.rejects(take('items.jsonl', '{'), ImportError)
  await t.rejects(take('items.jsonl.gz', gzipSync('{"id":"a"}\n'.repeat(1000)).subarray(0, 30)), { message: /gz file/ })
  await t.rejects(take('items.xml', ''), { message: /format/ })
  await t.rejects(take('items.csv', 'id,title\na,b,c\n'), ImportError)
  t.strictSame(left(), [])
})

t.test('a file without items changes nothing', async t => {
  const { import: take, stored } = importing(t)
  await take('items.jsonl', '{"id":"a"}')
  await t.rejects(take('empty.jsonl', '\n'), { message: /no items/ })
  t.strictSame(await stored('a'), { a: {} })
})

t.test('numbers are ids too', async t => {
  const { import: take, stored } = importing(t)
  await take('items.jsonl', '{"id":42,"v":1}\n{"id":"007"}')
  t.strictSame(await stored('42', '007', '7'), { 42: { v: 1 }, '007': {} })
})

t.test('of two lines for one id the last one counts', async t => {
  const { import: take, stored } = importing(t)
  t.equal(await take('items.jsonl', '{"id":"a","v":1}\n{"id":"a","v":2}'), 1)
  t.strictSame(await stored('a'), { a: { v: 2 } })
})

t.test('any Unicode arrives as it is, in ids too', async t => {
  const { import: take, stored } = importing(t)
  const text = 'naïve 漢字 🏔️ \u2028 \u0000 "\\'
  const id = '🧦'.repeat(128)
  await take('items.jsonl', `${JSON.stringify({ id, text })}\n${JSON.stringify({ id: 'ключ', [text]: 1 })}`)
  t.strictSame(await stored(id, 'ключ'), { [id]: { text }, ключ: { [text]: 1 } })
})

t.test('a key called __proto__ is data', async t => {
  const { import: take, stored } = importing(t)
  await take('items.jsonl', '{"id":"a","__proto__":{"x":1},"constructor":"c"}\n{"id":"__proto__","v":1}')
  const items = await stored('a', '__proto__')
  t.equal(JSON.stringify(items['a']), '{"__proto__":{"x":1},"constructor":"c"}')
  t.equal(JSON.stringify(items), '{"a":{"__proto__":{"x":1},"constructor":"c"},"__proto__":{"v":1}}')
})

t.test('tables are taken with their columns, renamed where asked', async t => {
  const { import: take, stored } = importing(t)
  await take('items.csv', 'id,title\na,"A, b"\n')
  t.strictSame(await stored('a'), { a: { title: 'A, b' } })
  await take('movies.tsv.gz', gzipSync('movieId\ttitle\tyear\n1\t"Up"\t2009\n'), { columns: { id: 'movieId', name: 'title' } })
  t.strictSame(await stored('1'), { 1: { name: '"Up"' } })
  await t.rejects(take('movies.csv', 'movieId,title\n1,x\n'), ImportError, 'without an id column no line is good')
})

t.test('many items arrive whole', async t => {
  const { import: take, stored } = importing(t)
  t.equal(await take('items.csv', `id,v\n${Array.from({ length: 12_345 }, (_, i) => `i${i},${i}`).join('\n')}`), 12_345)
  t.strictSame(await stored('i0', 'i5000', 'i12344'), { i0: { v: '0' }, i5000: { v: '5000' }, i12344: { v: '12344' } })
})

t.test('two imports at once leave one of the two catalogs whole', async t => {
  const { import: take, stored } = importing(t)
  const results = await Promise.allSettled([1, 2].map(async v => take(`items-${v}.jsonl`, `{"id":"a","v":${v}}\n{"id":"b","v":${v}}`)))
  t.ok(results.some(({ status }) => status === 'fulfilled'))
  const { a, b } = await stored('a', 'b')
  t.ok(a !== undefined)
  t.strictSame(a, b)
})

t.test('what a line says comes out as it was written, digit by digit', async t => {
  const { import: take, written } = importing(t)
  const members = [
    '"a":12345678901234567890', '"b":0.1000000000000000055', '"c":1e400', '"d":-0', '"e":1.0', '"f":[1.0, {"id":2.50}]', '"g":"\\ud800 \\u2028 \u2028"',
    '"h":"} ] , \\" \\\\"', '"__proto__":{"x":1}', '"toString":1', '"constructor":null', '"k":1', '"k":2', '"":{}', '"\\u006b":true'
  ]
  const spaced = ' { "id" : "spaced" , "v" : 1.10 , "id2" : [ ] } '
  await take('items.jsonl', [`{"id":"first",${members.join(',')}}`, `{${members.join(',')},"id":"last"}`, `{${members.slice(0, 4).join(',')},"id":"between",${members.slice(4).join(',')}}`, spaced].join('\n'))
  const whole = `{${members.join(',')}}`
  t.strictSame(await written('first', 'last', 'between', 'spaced'), { first: whole, last: whole, between: whole, spaced: '{"v" : 1.10,"id2" : [ ]}' })
})

t.test('an id that is a number keeps its digits, and one that is written with escapes is an id', async t => {
  const { import: take, written } = importing(t)
  await take('items.jsonl', '{"id":12345678901234567890,"v":1}\n{"id":12345678901234567891,"v":2}\n{"\\u0069d":"\\u0061","v":3}\n{"id":"x","id":"y","v":4}\n{"id":1.0}')
  t.strictSame(Object.entries(await written('12345678901234567890', '12345678901234567891', 'a', 'x', 'y', '1.0', '1')),
    [['12345678901234567890', '{"v":1}'], ['12345678901234567891', '{"v":2}'], ['a', '{"v":3}'], ['y', '{"v":4}'], ['1.0', '{}']])
})

t.test('columns of JSON lines keep their digits too', async t => {
  const { import: take, written } = importing(t)
  await take('items.jsonl', '{"ITEM":10000000000000000001,"price":9.90,"x":1,"price":9.80}\n{"ITEM":"b"}', { columns: { id: 'ITEM', 'the "price"': 'price' } })
  t.strictSame(await written('10000000000000000001', 'b'), { '10000000000000000001': '{"the \\"price\\"":9.80}', b: '{}' })
})

t.test('items may be large', async t => {
  const { import: take, written } = importing(t)
  const text = 'ß'.repeat(300 * 1024)
  const longest = 'x'.repeat(2 * 1024 * 1024 - 20)
  await take('items.jsonl', `{"id":"a","v":"${text}"}\n{"id":"b","v":"${longest}"}`)
  t.ok((await written('a'))['a'] === `{"v":"${text}"}`)
  t.ok((await written('b'))['b'] === `{"v":"${longest}"}`)
  await t.rejects(take('items.jsonl', `{"id":"a"}\n{"id":"b","v":"${longest}more than that"}`), { message: /line 2 is longer/ })
})

t.test('half of a surrogate pair is no part of an id, and what is no id is not found', async t => {
  const { import: take, written } = importing(t)
  await t.rejects(take('items.jsonl', '{"id":"a\\ud800"}'), { message: /line 1: id/ })
  await take('items.jsonl', '{"id":"\ufffd"}\n{"id":"a\\u0000"}')
  t.strictSame(await written('\ud800', '', 'x'.repeat(10_000), 'a', 'a\0', '\ufffd'), { 'a\0': '{}', '\ufffd': '{}' })
})
