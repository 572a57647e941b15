import { readdirSync } from 'node:fs'
import t from 'tap'
import type { Item } from '../../src/metadata/catalog.ts'
import { sortItems } from '../../src/metadata/localdb/sort.ts'
import { collectBatches } from '../support/collect-batches.ts'
import { eventually } from '../support/eventually.ts'

async function * catalog (count: number, metadataOf: (i: number) => string, idOf = (i: number): string => String(i * 7919 % count)): AsyncGenerator<Item[]> {
  for (let i = 0; i < count; i += 100) {
    yield Array.from({ length: Math.min(100, count - i) }, (_, j) => ({ itemId: idOf(i + j), metadata: metadataOf(i + j) }))
  }
}

t.test('few items are sorted without a file', async t => {
  const directory = t.testdir()
  const items = await collectBatches(sortItems(catalog(1000, i => `{"v":${i}}`), directory))
  t.strictSame(items.map(({ itemId }) => itemId), Array.from({ length: 1000 }, (_, i) => String(i)).sort())
  t.strictSame(readdirSync(directory), [])
})

t.test('many are put aside and merged, and their files are gone at the end', async t => {
  const directory = t.testdir()
  const text = 'ü\u2028\r'.repeat(500)
  const asides = new Set<string>()
  const items: Item[] = []
  for await (const batch of sortItems(catalog(20_000, i => `{"v":${i},\r"t":"${text}"}`), directory)) {
    for (const name of readdirSync(directory)) asides.add(name)
    items.push(...batch)
  }
  t.ok(asides.size > 2)
  t.strictSame(readdirSync(directory), [])
  t.strictSame(items.map(({ itemId }) => itemId), Array.from({ length: 20_000 }, (_, i) => String(i)).sort())
  t.ok(items.every(({ itemId, metadata }) => {
    const v = /\d+/.exec(metadata)![0]
    return metadata === `{"v":${v},\r"t":"${text}"}` && String(Number(v) * 7919 % 20_000) === itemId
  }))
})

t.test('of many items with one id the last one stays, wherever they were put aside', async t => {
  const text = 'x'.repeat(2000)
  const ids = ['a\tb', '\n', '"', '\\', '🧦', '\uffff', '\0']
  const items = await collectBatches(sortItems(catalog(20_000, i => `{"v":${i},"t":"${text}"}`, i => ids[i % 7]!), t.testdir()))
  t.strictSame(Object.fromEntries(items.map(({ itemId, metadata }) => [itemId, Number(/\d+/.exec(metadata)![0])])),
    Object.fromEntries(ids.map((id, i) => [id, Math.floor((19_999 - i) / 7) * 7 + i])))
  t.equal(items.length, 7)
})

t.test('who stops in the middle leaves no file open', async t => {
  const before = readdirSync('/proc/self/fd').length
  const items = sortItems(catalog(20_000, () => `{"t":"${'x'.repeat(2000)}"}`), t.testdir())
  await items.next()
  t.ok(readdirSync('/proc/self/fd').length > before)
  await items.return(undefined)
  await eventually('all are closed', () => readdirSync('/proc/self/fd').length === before)
})
