import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command, Option } from 'commander'
import { pino } from 'pino'
import { cachePolicyOf } from '../config/cdn-policy.ts'
import { fileSource } from '../config/file-source.ts'
import { parseConfig } from '../config/parse.ts'
import { warningsOf } from '../config/warnings.ts'
import { isZone } from '../context/clock.ts'
import { readSettings, sampleConfigFile } from '../settings.ts'
import { parseTime } from '../base/time.ts'
import { UserError } from '../base/user-error.ts'
import { readHeaders } from './headers.ts'

export function configCommand (): Command {
  const config = new Command('config').description('look after configuration documents')

  config.command('validate')
    .description('list everything that is wrong with a document; exit 1 if anything is')
    .argument('<file>')
    .action(async (file: string) => {
      const document = parseConfig(await readFile(file, 'utf8'), file)
      console.log(`${file} is a valid configuration`)
      for (const warning of warningsOf(document)) console.log(`warning: ${warning}`)
    })

  config.command('explain')
    .description('tell how a request is understood under a document: rules, context, filter, variation, cache key; no provider is asked')
    .argument('[file]', 'default: what CONFIG_FILE names, else the sample store')
    .addOption(new Option('--path <path>', 'such as /recommend-items/store/home/user-1?numResults=5').makeOptionMandatory())
    .option('--headers <file>', 'the request headers: a JSON object, or lines of "Name: value"')
    .option('--time <iso>', 'when the request is made (default: now)')
    .option('--time-zone <name>', 'the zone of users whose zone no header tells (default: what TIME_ZONE names)')
    .action(async (file: string | undefined, options: ExplainOptions) => {
      console.log(await explain(file ?? readSettings().CONFIG_FILE ?? sampleConfigFile, options))
    })

  config.command('cdn-policy')
    .description('write the CloudFront cache policy of a document: it tells answers apart by the headers that the rules read')
    .argument('<file>')
    .option('--name <name>', 'of the policy', 'personalization-gateway')
    .action(async (file: string, { name }: { name: string }) => {
      console.log(JSON.stringify(cachePolicyOf(parseConfig(await readFile(file, 'utf8'), file), name), null, 2))
    })

  return config
}

interface ExplainOptions {
  path: string
  headers?: string
  time?: string
  timeZone?: string
}

/** Asks a gateway of its own, which serves nobody else. */
async function explain (file: string, { path, headers, time, timeZone = readSettings().TIME_ZONE }: ExplainOptions): Promise<string> {
  if (!path.startsWith('/')) throw new UserError('--path: expected a path that begins with /')
  const at = time === undefined ? Date.now() : parseTime(time)
  if (at === undefined) throw new UserError('--time: expected an ISO 8601 time, such as 2026-07-15T23:30:00-07:00')
  if (!isZone(timeZone)) throw new UserError('--time-zone: expected the name of a time zone, such as Europe/Berlin')
  const given = headers === undefined ? {} : readHeaders(await readFile(headers, 'utf8'), headers)
  const { buildApp } = await import('../app.ts')
  const adminKey = randomUUID()
  const dataDir = await mkdtemp(join(tmpdir(), 'gateway-explain-'))
  try {
    await using app = await buildApp({ source: fileSource(file), delivers: false, dataDir, adminKey, timeZone, now: () => at, logger: pino({ level: 'silent' }) })
    await app.config.loaded
    const { statusCode, body } = await app.inject({ url: `/explain${path}`, headers: { ...given, 'x-api-key': adminKey } })
    const answer = JSON.parse(body) as { message?: string }
    if (statusCode !== 200) throw new UserError(answer.message ?? body)
    return JSON.stringify(answer, null, 2)
  } finally {
    await rm(dataDir, { recursive: true })
  }
}
