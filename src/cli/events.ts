import { Command } from 'commander'
import { importEvents } from '../recommender/import-events.ts'
import type { Columns } from '../records/read-records.ts'
import { readSettings } from '../settings.ts'
import { columnsOption } from './columns.ts'
import { deadLettersCommand } from './events-dead-letters.ts'
import { replayCommand } from './events-replay.ts'
import { namespaceOption } from './namespace.ts'
import { startProgress } from './progress.ts'

const fields = ['userId', 'sessionId', 'itemId', 'eventType', 'eventValue', 'sentAt', 'eventId']

interface ImportOptions {
  namespace: string
  eventType?: string
  columns?: Columns
  strict?: boolean
}

export function eventsCommand (): Command {
  const events = new Command('events').description('look after events')

  events.command('import')
    .description('load events into a namespace\'s embedded recommender: JSON Lines, CSV or TSV, compressed (.gz) or not')
    .argument('<file>')
    .addOption(namespaceOption())
    .option('--event-type <type>', 'for records that name none (default: "view")')
    .option('--strict', 'take nothing of a file with a bad line in it; without, bad lines are listed and the others imported')
    .option('--columns <field=column,…>', `which column holds which of ${fields.join(', ')}`, columnsOption(fields))
    .action(async (file: string, options: ImportOptions) => {
      const progress = startProgress('importing events')
      const started = performance.now()
      try {
        const { read, added, bad } = await importEvents({ dataDir: readSettings().DATA_DIR, file, ...options, now: Date.now, onProgress: progress.update })
        progress.stop()
        const seconds = (performance.now() - started) / 1000
        if (bad.count > 0) console.error(`${bad.count === 1 ? 'one bad line was' : `${bad.count} bad lines were`} passed over:\n${bad.toString()}`)
        if (read === 0 && bad.count > 0) process.exitCode = 1
        console.log(`${added} of ${read} events are new to ${options.namespace} (${seconds.toFixed(1)} s, ${Math.round(read / seconds)} a second)`)
      } finally {
        progress.stop()
      }
    })

  events.addCommand(deadLettersCommand())
  events.addCommand(replayCommand())
  return events
}
