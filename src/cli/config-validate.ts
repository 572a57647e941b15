import { readFile } from 'node:fs/promises'
import { parseConfig } from '../config/parse.ts'
import { allWarningsOf } from '../config/all-warnings.ts'
import { adoptDefaultRegion, itemTablesOf, readSettings } from '../settings.ts'

/** Prints that a document is valid, and what of it has no effect. @throws ConfigError listing everything that is wrong with it */
export async function validateConfig (file: string): Promise<void> {
  const document = parseConfig(await readFile(file, 'utf8'), file)
  adoptDefaultRegion()
  console.log(`${file} is a valid configuration`)
  const settings = readSettings()
  const { EVIDENTLY_ENDPOINT, REDIS_URL, WORKERS } = settings
  for (const warning of await allWarningsOf(document, { evidentlyEndpoint: EVIDENTLY_ENDPOINT, countsApart: WORKERS > 1 && REDIS_URL === undefined, itemTables: itemTablesOf(settings) })) console.log(`warning: ${warning}`)
}
