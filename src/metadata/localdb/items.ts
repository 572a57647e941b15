import { open, type Database } from 'lmdb'

/** Opens one generation: metadata as JSON text by item id. */
export function openItems (path: string, options: { writable?: boolean } = {}): Database<string, string> {
  return open<string, string>({ path, encoding: 'string', readOnly: options.writable !== true })
}
