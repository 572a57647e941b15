import { leanHeap } from '../base/lean-heap.ts'
import { prepareDataDir } from '../connections/data-dir.ts'
import { joinCatalogs, openCatalog } from '../metadata/catalog.ts'
import { importItems } from '../metadata/import-items.ts'
import type { Columns } from '../records/read-records.ts'
import { adoptDefaultRegion, itemTablesOf, readSettings } from '../settings.ts'
import { itemStoresOf } from './import-places.ts'
import { startProgress } from './progress.ts'
import { partOfProgress, recordFilesOf } from './record-files.ts'

export interface ImportItemsOptions {
  namespace: string
  columns?: Columns
  /** Whether the catalog may have less than half of the items in use. */
  force?: boolean
}

/** Puts the catalog in one or more files in the place of a namespace's items, in each store that the configuration names for it. */
export async function importItemsFile (paths: string | string[], { namespace, columns, force }: ImportItemsOptions): Promise<void> {
  leanHeap()
  adoptDefaultRegion()
  const settings = readSettings()
  const { DATA_DIR: dataDir, CONFIG_FILE } = settings
  const itemTables = itemTablesOf(settings)
  const files = await recordFilesOf([paths].flat())
  const stores = await itemStoresOf(CONFIG_FILE, namespace)
  await prepareDataDir(dataDir)
  for (const config of stores) {
    const progress = startProgress('importing items')
    const started = performance.now()
    try {
      const catalogs = files.map(async (file, i) => openCatalog(file, { columns, idField: itemTables.key, onProgress: partOfProgress(i, files.length, progress.update) }))
      const outcome = await importItems(config, joinCatalogs(await Promise.all(catalogs)), { dataDir, namespace, itemTables, ...force === true && { shrink: true } })
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
