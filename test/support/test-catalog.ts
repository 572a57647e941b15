import type { Catalog } from '../../src/metadata/catalog.ts'

let catalogs = 0

/** Creates a catalog from JSON texts by item id. By default it has a new tag, and is newer than all earlier test catalogs. */
export function testCatalog (items: Readonly<Record<string, string>> | ReadonlyArray<readonly [string, string]>, more: Partial<Catalog> = {}): Catalog {
  const entries: ReadonlyArray<readonly [string, string]> = items instanceof Array ? items : Object.entries(items)
  const serial = ++catalogs
  return {
    name: 'the test',
    tag: `tag-${serial}`,
    madeAt: Date.UTC(2026, 0, 1) + serial * 1000,
    items: async function * () {
      for (let i = 0; i < entries.length; i += 100) yield entries.slice(i, i + 100).map(([itemId, metadata]) => ({ itemId, metadata }))
    },
    ...more
  }
}
