import { createHash } from 'node:crypto'
import { assertRoom, committed } from '../../connections/lmdb.ts'
import { UserError } from '../../base/user-error.ts'
import type { Catalog } from '../catalog.ts'
import { generations } from './generations.ts'
import { localDbDirectory } from './files.ts'
import { refuseShrink } from '../shrink.ts'
import { openItems } from './items.ts'
import { sortItems } from './sort.ts'
import type { LoadPlace } from '../store-type.ts'

/** Writes a catalog beside the live one and swaps it in, all or nothing. @returns the number of items now */
export async function loadLocalDb (catalog: Catalog, { dataDir, namespace, shrink }: LoadPlace): Promise<number> {
  return replaceItems(localDbDirectory(dataDir, namespace), catalog, shrink)
}

/** Does the same for a directory of a namespace's items. */
export async function replaceItems (directory: string, catalog: Pick<Catalog, 'name' | 'items'>, shrink?: boolean): Promise<number> {
  const { count } = await generations(directory).replace(async (path, current) => {
    const filled = await fill(path, catalog)
    if (current !== undefined) refuseShrink(catalog.name, { before: await countOf(current), now: filled.count, allowed: shrink })
    return filled
  })
  return count
}

async function countOf (path: string): Promise<number> {
  const items = openItems(path)
  try {
    return entryCountOf(items)
  } finally {
    await items.close()
  }
}

function entryCountOf (items: ReturnType<typeof openItems>): number {
  return (items.getStats() as { entryCount: number }).entryCount
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
    const entryCount = entryCountOf(items)
    if (entryCount === 0) throw new UserError(`there are no items in ${catalog.name}; nothing was changed`)
    return { count: entryCount, digest: digest.digest('hex') }
  } finally {
    await items.close()
  }
}
