import { createHash } from 'node:crypto'
import { assertRoom, committed } from '../../connections/lmdb.ts'
import { UserError } from '../../base/user-error.ts'
import type { Catalog } from '../catalog.ts'
import { generations } from './generations.ts'
import { localDbDirectory } from './files.ts'
import { openItems } from './items.ts'
import { sortItems } from './sort.ts'
import type { LoadPlace } from '../store-type.ts'

/** Writes a catalog beside the live one and swaps it in, all or nothing. @returns the number of items now */
export async function loadLocalDb (catalog: Catalog, { dataDir, namespace }: LoadPlace): Promise<number> {
  return replaceItems(localDbDirectory(dataDir, namespace), catalog)
}

/** Does the same for a directory of a namespace's items. */
export async function replaceItems (directory: string, catalog: Pick<Catalog, 'name' | 'items'>): Promise<number> {
  const { count } = await generations(directory).replace(async path => fill(path, catalog))
  return count
}

async function fill (path: string, catalog: Pick<Catalog, 'name' | 'items'>): Promise<{ count: number, digest: string }> {
  const items = openItems(path, { writable: true })
  const digest = createHash('sha1')
  try {
    for await (const batch of sortItems(catalog.items(), path)) {
      assertRoom(path)
      // One commit per batch: each commit rewrites the pages on the path to the insertion point.
      const writes = new Set(batch.map(({ itemId, metadata }) => items.put(itemId, metadata)))
      for (const { itemId, metadata } of batch) digest.update(`${itemId.length} ${itemId}${metadata}`)
      await committed(writes)
    }
    await items.flushed
    const { entryCount } = items.getStats() as { entryCount: number }
    if (entryCount === 0) throw new UserError(`there are no items in ${catalog.name}; nothing was changed`)
    return { count: entryCount, digest: digest.digest('hex') }
  } finally {
    await items.close()
  }
}
