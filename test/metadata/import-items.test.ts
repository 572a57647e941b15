import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { importItems, type ImportItemsOptions } from '../../src/metadata/import-items.ts'
import { localDbDirectory, openLocalDb } from '../../src/metadata/localdb.ts'
import { ImportError } from '../../src/records/import-error.ts'

const signal = new AbortController().signal

function importing (t: Test) {
  const dataDir = t.testdir()
  const directory = localDbDirectory(dataDir, 'shop')
  return {
    import: async (name: string, content: string | Buffer, options: Partial<ImportItemsOptions> = {}): Promise<number> => {
      const file = join(dataDir, name)
      writeFileSync(file, content)
      return importItems({ dataDir, namespace: 'shop', file, ...options })
    },
    stored: async (...ids: string[]): Promise<Record<string, unknown>> => {
      const store = await openLocalDb(directory, { onError: error => { throw error } })
      const found = await store.get(ids, signal)
      await store.close()
      return Object.fromEntries([...found].map(([id, text]) => [id, JSON.parse(text) as unknown]))
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
