import { join } from 'node:path'

/** Returns the directory of a namespace's items, which holds their generations. */
export function localDbDirectory (dataDir: string, namespace: string): string {
  return join(dataDir, 'items', namespace)
}
