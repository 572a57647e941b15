import { readFile } from 'node:fs/promises'
import { parseConfig } from '../config/parse.ts'
import { allWarningsOf } from '../config/all-warnings.ts'
import { adoptDefaultRegion, itemTablesOf, readSettings } from '../settings.ts'

/** Prints that a document is valid, and what of it has no effect. @throws ConfigError listing everything that is wrong with it */
export async function validateConfig (file: string): Promise<void> {
  const document = parseConfig(await readFile(file, 'utf8'), file)
  adoptDefaultRegion()
  const settings = readSettings()
  console.log(`${file} is a valid configuration`)
  for (const warning of await allWarningsOf(document, { evidentlyEndpoint: settings.EVIDENTLY_ENDPOINT, itemTables: itemTablesOf(settings), countsApart: settings.WORKERS > 1 && settings.REDIS_URL === undefined })) console.log(`warning: ${warning}`)
}
