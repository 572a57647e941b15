import { join } from 'node:path'

/** Where a namespace's items are kept, generation by generation. */
export function localDbDirectory (dataDir: string, namespace: string): string {
  return join(dataDir, 'items', namespace)
}
