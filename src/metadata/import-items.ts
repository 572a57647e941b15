import { createHash } from 'node:crypto'
import { assertRoom, committed } from '../lmdb.ts'
import { BadLines } from '../records/import-error.ts'
import { readRecords, type ReadOptions } from '../records/read-records.ts'
import { isId } from '../schema.ts'
import { UserError } from '../user-error.ts'
import { generations } from './generations.ts'
import { localDbDirectory, openItems } from './localdb.ts'

/** Bytes (about) under way to the disk at once. */
const bytesAtOnce = 4 * 1024 * 1024

export interface ImportItemsOptions extends ReadOptions {
  dataDir: string
  namespace: string
  file: string
}

/**
 * Loads a catalog and puts it in the place of the namespace's items, also under a running server, all or nothing.
 * @returns how many items there are now
 * @throws ImportError listing the bad lines; UserError for a file without items, or while another import is under way
 */
export async function importItems ({ dataDir, namespace, file, ...options }: ImportItemsOptions): Promise<number> {
  const { count } = await generations(localDbDirectory(dataDir, namespace)).replace(async path => fill(path, file, options))
  return count
}

async function fill (path: string, file: string, options: ReadOptions): Promise<{ count: number, digest: string }> {
  const items = openItems(path, { writable: true })
  const digest = createHash('sha1')
  const bad = new BadLines()
  try {
    const writes = new Set<Promise<unknown>>()
    let pending = 0
    assertRoom(path)
    for await (const batch of readRecords(file, options)) {
      for (const source of batch) {
        if ('problem' in source) {
          bad.add(source.line, source.problem)
          continue
        }
        const { id, ...metadata } = source.record
        const itemId = typeof id === 'number' ? String(id) : id
        if (typeof itemId !== 'string' || !isId(itemId)) {
          bad.add(source.line, 'id: expected a string of 1 to 256 characters')
          continue
        }
        const text = JSON.stringify(metadata)
        pending += itemId.length + text.length
        writes.add(items.put(itemId, text))
        digest.update(itemId).update(text)
        if (pending < bytesAtOnce) continue
        await committed(writes)
        writes.clear()
        pending = 0
        assertRoom(path)
      }
    }
    bad.refuse()
    await committed(writes)
    await items.flushed
    const { entryCount } = items.getStats() as { entryCount: number }
    if (entryCount === 0) throw new UserError(`there are no items in ${file}; nothing was changed`)
    return { count: entryCount, digest: digest.digest('hex') }
  } finally {
    await items.close()
  }
}
