import { join } from 'node:path'
import { open, type Database } from 'lmdb'

/** Where a namespace's items are kept, generation by generation. */
export function localDbDirectory (dataDir: string, namespace: string): string {
  return join(dataDir, 'items', namespace)
}

/** One generation: metadata as JSON text by item id. */
export function openItems (path: string, options: { writable?: boolean } = {}): Database<string, string> {
  return open<string, string>({ path, encoding: 'string', readOnly: options.writable !== true })
}
