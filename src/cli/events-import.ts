import { prepareDataDir } from '../connections/data-dir.ts'
import { holdDataDir } from '../connections/data-dir-holders.ts'
import { importEvents } from '../recommender/import-events.ts'
import type { Columns } from '../records/read-records.ts'
import { readSettings } from '../settings.ts'
import { refuseWithoutRecommender } from './import-places.ts'
import { startProgress } from './progress.ts'
import { recordFilesOf } from './record-files.ts'

export interface ImportEventsOptions {
  namespace: string
  eventType?: string
  columns?: Columns
  strict?: boolean
}

/** Loads the events of one or more files into a namespace's embedded recommender. */
export async function importEventsFile (paths: string | string[], options: ImportEventsOptions): Promise<void> {
  const { DATA_DIR: dataDir, CONFIG_FILE } = readSettings()
  const files = await recordFilesOf([paths].flat())
  await refuseWithoutRecommender(CONFIG_FILE, options.namespace)
  await prepareDataDir(dataDir)
  const held = await holdDataDir(dataDir)
  try {
    for (const file of files) await importOne(file, dataDir, options, files.length > 1 ? ` from ${file}` : '')
  } finally {
    await held.release()
  }
}

async function importOne (file: string, dataDir: string, options: ImportEventsOptions, from: string): Promise<void> {
  const progress = startProgress('importing events')
  const started = performance.now()
  try {
    const { read, added, bad } = await importEvents({ dataDir, file, ...options, now: Date.now, onProgress: progress.update })
    progress.stop()
    const seconds = (performance.now() - started) / 1000
    if (bad.count > 0) console.error(`${bad.count === 1 ? 'one bad line was' : `${bad.count} bad lines were`} passed over${from}:\n${bad.toString()}`)
    if (read === 0 && bad.count > 0) process.exitCode = 1
    console.log(`${added} of ${read} events are new to ${options.namespace}${from} (${seconds.toFixed(1)} s, ${Math.round(read / seconds)} a second)`)
  } finally {
    progress.stop()
  }
}
