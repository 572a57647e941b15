import { join } from 'node:path'
import { open, type Database } from 'lmdb'

/** Returns the directory of a namespace's items, which holds their generations. */
export function localDbDirectory (dataDir: string, namespace: string): string {
  return join(dataDir, 'items', namespace)
}

/** Opens one generation: metadata as JSON text by item id. */
export function openItems (path: string, options: { writable?: boolean } = {}): Database<string, string> {
  return open<string, string>({ path, encoding: 'string', readOnly: options.writable !== true })
}
