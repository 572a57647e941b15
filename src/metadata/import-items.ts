import { assertRoom, committed } from '../lmdb.ts'
import { BadLines } from '../records/import-error.ts'
import { readRecords, type ReadOptions } from '../records/read-records.ts'
import { generations } from './generations.ts'
import { localDbDirectory, openItems } from './localdb.ts'

const longestId = 256
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
 * @throws ImportError listing the bad lines
 */
export async function importItems ({ dataDir, namespace, file, ...options }: ImportItemsOptions): Promise<number> {
  const versions = generations(localDbDirectory(dataDir, namespace))
  await versions.sweep(Date.now())
  const path = await versions.begin()
  try {
    const count = await fill(path, file, options)
    await versions.publish(path)
    return count
  } catch (error) {
    await versions.discard(path)
    throw error
  }
}

async function fill (path: string, file: string, options: ReadOptions): Promise<number> {
  const items = openItems(path, { writable: true })
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
        if (typeof itemId !== 'string' || itemId === '' || itemId.length > longestId) bad.add(source.line, `id: expected a string of 1 to ${longestId} characters`)
        else {
          const text = JSON.stringify(metadata)
          pending += itemId.length + text.length
          writes.add(items.put(itemId, text))
        }
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
    return (items.getStats() as { entryCount: number }).entryCount
  } finally {
    await items.close()
  }
}
