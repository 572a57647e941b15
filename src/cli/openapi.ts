import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { buildApp } from '../app.ts'
import { fileSource } from '../config/file-source.ts'
import { authenticationOf, readSettings } from '../settings.ts'

/** Writes the OpenAPI document of a configuration into a file, or prints it. */
export async function writeOpenApi ({ config, output }: { config: string, output?: string }): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'gateway-openapi-'))
  const settings = readSettings()
  // Keys make no difference to the document, beyond that there are some.
  const authentication = { ...authenticationOf(settings), keySources: [] }
  const app = await buildApp({ source: fileSource(config), dataDir, basePath: settings.BASE_PATH, adminKey: randomUUID(), authentication, logger: pino({ level: 'silent' }) })
  await app.ready()
  await app.config.loaded
  const text = `${JSON.stringify(app.openapi(), null, 2)}\n`
  await app.close()
  await rm(dataDir, { recursive: true })
  if (output === undefined) process.stdout.write(text)
  else await writeFile(output, text)
}
