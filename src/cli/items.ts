import { Command } from 'commander'
import { importItems } from '../metadata/import-items.ts'
import type { Columns } from '../records/read-records.ts'
import { readSettings } from '../settings.ts'
import { columnsOption } from './columns.ts'
import { namespaceOption } from './namespace.ts'
import { startProgress } from './progress.ts'

export function itemsCommand (): Command {
  const items = new Command('items').description('look after item metadata')

  items.command('import')
    .description('put a catalog in the place of a namespace\'s items: JSON Lines, CSV or TSV, compressed (.gz) or not')
    .argument('<file>')
    .addOption(namespaceOption())
    .option('--columns <field=column,…>', 'which columns to keep, and under which names; one must be id', columnsOption())
    .action(async (file: string, { namespace, columns }: { namespace: string, columns?: Columns }) => {
      const progress = startProgress('importing items')
      const started = performance.now()
      try {
        const count = await importItems({ dataDir: readSettings().DATA_DIR, namespace, file, columns, onProgress: progress.update })
        progress.stop()
        console.log(`${namespace} has ${count} items now (${((performance.now() - started) / 1000).toFixed(1)} s)`)
      } finally {
        progress.stop()
      }
    })

  return items
}
