import { importEvents } from '../recommender/import-events.ts'
import type { Columns } from '../records/read-records.ts'
import { readSettings } from '../settings.ts'
import { startProgress } from './progress.ts'

export interface ImportEventsOptions {
  namespace: string
  eventType?: string
  columns?: Columns
  strict?: boolean
}

/** Loads the events of a file into a namespace's embedded recommender. */
export async function importEventsFile (file: string, options: ImportEventsOptions): Promise<void> {
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
}
