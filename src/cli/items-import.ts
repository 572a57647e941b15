import { readFile } from 'node:fs/promises'
import { itemImportsOf } from '../config/item-imports.ts'
import { parseConfig } from '../config/parse.ts'
import { leanHeap } from '../base/lean-heap.ts'
import { openCatalog } from '../metadata/catalog.ts'
import { importItems } from '../metadata/import-items.ts'
import type { Columns } from '../records/read-records.ts'
import { sampleConfigFile } from '../base/packaged-file.ts'
import { adoptDefaultRegion, readSettings } from '../settings.ts'
import { startProgress } from './progress.ts'

export interface ImportItemsOptions {
  namespace: string
  columns?: Columns
}

/** Puts a catalog in the place of a namespace's items, in each store that the configuration names for it. */
export async function importItemsFile (file: string, { namespace, columns }: ImportItemsOptions): Promise<void> {
  leanHeap()
  adoptDefaultRegion()
  const { DATA_DIR: dataDir, CONFIG_FILE = sampleConfigFile } = readSettings()
  for (const config of await storesOf(CONFIG_FILE, namespace)) {
    const progress = startProgress('importing items')
    const started = performance.now()
    try {
      const outcome = await importItems(config, await openCatalog(file, { columns, onProgress: progress.update }), { dataDir, namespace })
      progress.stop()
      if (typeof outcome === 'string') {
        process.exitCode = 1
        console.error(`nothing was imported into ${config.type}: ${outcome === 'busy' ? 'another instance is importing' : 'it has this catalog already'}`)
      } else {
        console.log(`${namespace} has ${outcome} items now (${config.type}, ${((performance.now() - started) / 1000).toFixed(1)} s)`)
      }
    } finally {
      progress.stop()
    }
  }
}

/** Returns the stores that the document names for a namespace, or `localdb` (the local disk) if it names none. */
async function storesOf (configFile: string, namespace: string): Promise<Array<{ type: string }>> {
  const document = parseConfig(await readFile(configFile, 'utf8'), configFile)
  const named = itemImportsOf(document, namespace).map(({ config }) => config)
  return named.length > 0 ? named : [{ type: 'localdb' }]
}
