import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { buildApp } from '../app.ts'
import { fileSource } from '../config/file-source.ts'
import { isZone } from '../context/clock.ts'
import { withoutBasePath } from '../base/base-path.ts'
import { sampleConfigFile } from '../base/packaged-file.ts'
import { itemTablesOf, readSettings } from '../settings.ts'
import { parseTime } from '../base/time.ts'
import { UserError } from '../base/user-error.ts'
import { readHeaders } from './headers.ts'

export interface ExplainOptions {
  path: string
  headers?: string
  time?: string
  timeZone?: string
}

/** Prints how a request is understood under a document: by default the one that CONFIG_FILE names, else the sample store's. */
export async function explainRequest (file: string | undefined, options: ExplainOptions): Promise<void> {
  console.log(await explain(file ?? readSettings().CONFIG_FILE ?? sampleConfigFile, options))
}

/** Asks a gateway of its own, which serves nobody else. */
async function explain (file: string, { path, headers, time, timeZone = readSettings().TIME_ZONE }: ExplainOptions): Promise<string> {
  if (!path.startsWith('/')) throw new UserError('--path: expected a path that begins with /')
  const at = time === undefined ? Date.now() : parseTime(time)
  if (at === undefined) throw new UserError('--time: expected an ISO 8601 time, such as 2026-07-15T23:30:00-07:00')
  if (!isZone(timeZone)) throw new UserError('--time-zone: expected the name of a time zone, such as Europe/Berlin')
  const given = headers === undefined ? {} : readHeaders(await readFile(headers, 'utf8'), headers)
  const settings = readSettings()
  const { BASE_PATH, EVIDENTLY_ENDPOINT, APPCONFIG_AGENT_URL } = settings
  const adminKey = randomUUID()
  const dataDir = await mkdtemp(join(tmpdir(), 'gateway-explain-'))
  try {
    await using app = await buildApp({ source: fileSource(file), delivers: false, dataDir, itemTables: itemTablesOf(settings), adminKey, timeZone, evidentlyEndpoint: EVIDENTLY_ENDPOINT, appConfigAgentUrl: APPCONFIG_AGENT_URL, now: () => at, logger: pino({ level: 'silent' }) })
    await app.config.loaded
    const { statusCode, body } = await app.inject({ url: `/explain${withoutBasePath(path, BASE_PATH)}`, headers: { ...given, 'x-api-key': adminKey } })
    const answer = JSON.parse(body) as { message?: string }
    if (statusCode !== 200) throw new UserError(answer.message ?? body)
    return JSON.stringify(answer, null, 2)
  } finally {
    await rm(dataDir, { recursive: true })
  }
}
