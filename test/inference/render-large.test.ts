import t from 'tap'
import { entityTag } from '../../src/cache/entry.ts'
import { renderBody } from '../../src/inference/render.ts'
import { renderLarge } from '../../src/inference/render-large.ts'
import type { ItemMetadataStore } from '../../src/metadata/store.ts'

/** Returns a store over a map, and the numbers of ids of its look-ups. */
function testStore (metadata: ReadonlyMap<string, string>): { store: ItemMetadataStore, lookups: number[] } {
  const lookups: number[] = []
  return { lookups, store: { get: ids => { lookups.push(ids.length); return new Map([...metadata].filter(([id]) => ids.includes(id))) }, close: async () => {} } }
}

t.test('a large answer is the same in slices, whatever the sizes of its metadata: growing, shrinking, none, two and three bytes a character', async t => {
  const sizes: Record<string, (i: number) => number> = { same: () => 5_000, growing: i => i * i, shrinking: i => 200_000 / (i + 1), 'one large': i => i === 77 ? 3_000_000 : 10, none: () => 0 }
  for (const [name, sizeOf] of Object.entries(sizes)) {
    for (const sign of ['x', 'é', '💥']) {
      const items = Array.from({ length: 100 }, (_, i) => ({ itemId: `é-${i}`, score: i }))
      const metadata = new Map(items.filter((_, i) => sizeOf(i) > 0).map(({ itemId }, i) => [itemId, JSON.stringify({ text: sign.repeat(sizeOf(i)) })]))
      const answer = { items, recommendationId: 'r[', more: { a: 1 } }
      const { store, lookups } = testStore(metadata)
      const { body, etag } = await renderLarge('rerank-items', answer, store, new AbortController().signal)
      const expected = renderBody('rerank-items', answer, metadata)
      t.ok(body.toString() === expected, `${name} ${sign}`)
      t.equal(etag, entityTag(expected))
      t.ok(Math.max(...lookups) < 50, 'few texts are in memory at once')
      t.ok((body as Buffer).buffer.byteLength < 1.5 * body.length + 200_000, `${name} ${sign}: the answer holds little more memory than it needs`)
    }
  }
})
