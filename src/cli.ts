#!/usr/bin/env node
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { pino } from 'pino'
import { configCommand } from './cli/config.ts'
import { eventsCommand } from './cli/events.ts'
import { itemsCommand } from './cli/items.ts'
import { fileSource } from './config/file-source.ts'
import { endWith } from './base/end-with.ts'
import { sampleConfigFile } from './settings.ts'

const gateway = new Command('gateway').description('The Personalization Gateway. It reads its settings from the environment.')

gateway.command('serve').description('answer requests').action(async () => { await import('./server.ts') })
gateway.addCommand(configCommand())
gateway.addCommand(itemsCommand())
gateway.addCommand(eventsCommand())

gateway.command('openapi')
  .description('write the OpenAPI document of a configuration')
  .option('--config <file>', 'the configuration document', sampleConfigFile)
  .option('--output <file>', 'where to write it (default: standard output)')
  .action(async ({ config, output }: { config: string, output?: string }) => {
    const { buildApp } = await import('./app.ts')
    const dataDir = await mkdtemp(join(tmpdir(), 'gateway-openapi-'))
    const app = await buildApp({ source: fileSource(config), dataDir, logger: pino({ level: 'silent' }) })
    await app.ready()
    await app.config.loaded
    const text = `${JSON.stringify(app.openapi(), null, 2)}\n`
    await app.close()
    await rm(dataDir, { recursive: true })
    if (output === undefined) process.stdout.write(text)
    else await writeFile(output, text)
  })

await gateway.parseAsync().catch(endWith)
