#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { Command, Option } from 'commander'
import type { ExplainOptions } from './cli/config-explain.ts'
import type { ChoiceOptions, ListOptions } from './cli/events-dead-letters.ts'
import type { ImportEventsOptions } from './cli/events-import.ts'
import type { ReplayCommandOptions } from './cli/events-replay.ts'
import type { ExperimentsReportOptions } from './cli/experiments-report.ts'
import type { ImportItemsOptions } from './cli/items-import.ts'
import type { NewKeyOptions } from './cli/keys-new.ts'
import { columnsOption, concurrencyOption, headerOption, limitOption, nameOption, namesOption, namespaceOption, scopeOption, urlOption } from './cli/options.ts'
import { endWith } from './base/end-with.ts'
import { packagedFile, sampleConfigFile } from './base/packaged-file.ts'

/** The option is read by a function, so that no other command reads the file. */
function printVersion (): void {
  const { version } = JSON.parse(readFileSync(packagedFile('package.json'), 'utf8')) as { version: string }
  console.log(version)
  process.exit()
}

// Every command is loaded when it is run, so that help and mistakes in options come at once.

const gateway = new Command('gateway').description('The Personalization Gateway. It reads its settings from the environment.')
  .option('-V, --version', 'show the version')
  .on('option:version', printVersion)

gateway.command('serve').description('answer requests').action(async () => { await import('./server.ts') })

const config = gateway.command('config').description('look after configuration documents')

config.command('validate')
  .description('list everything that is wrong with a document; exit 1 if anything is')
  .argument('<file>')
  .action(async (file: string) => {
    const { validateConfig } = await import('./cli/config-validate.ts')
    await validateConfig(file)
  })

config.command('explain')
  .description('tell how a request is understood under a document: rules, context, filter, variation, cache key; no provider is asked')
  .argument('[file]', 'default: what CONFIG_FILE names, else the sample store')
  .addOption(new Option('--path <path>', 'such as /recommend-items/store/home/user-1?numResults=5').makeOptionMandatory())
  .option('--headers <file>', 'the request headers: a JSON object, or lines of "Name: value"')
  .option('--time <iso>', 'when the request is made (default: now)')
  .option('--time-zone <name>', 'the zone of users whose zone no header tells (default: what TIME_ZONE names)')
  .action(async (file: string | undefined, options: ExplainOptions) => {
    const { explainRequest } = await import('./cli/config-explain.ts')
    await explainRequest(file, options)
  })

config.command('cdn-policy')
  .description('write the CloudFront cache policy of a document: it tells answers apart by the headers that the rules read')
  .argument('<file>')
  .option('--name <name>', 'of the policy', 'personalization-gateway')
  .action(async (file: string, options: { name: string }) => {
    const { printCdnPolicy } = await import('./cli/config-cdn-policy.ts')
    await printCdnPolicy(file, options)
  })

gateway.command('items').description('look after item metadata').command('import')
  .description('put a catalog in the place of a namespace\'s items, in each store that the configuration names for it: JSON Lines, CSV or TSV, compressed (.gz) or not')
  .argument('<files...>', 'a folder stands for the files in it; several files are one catalog')
  .addOption(namespaceOption())
  .option('--columns <field=column,…>', 'which columns to keep, and under which names; one must be id', columnsOption({ required: [['id']] }))
  .option('--force', 'take the catalog also if it has less than half of the items in use')
  .action(async (files: string[], options: ImportItemsOptions) => {
    const { importItemsFile } = await import('./cli/items-import.ts')
    await importItemsFile(files, options)
  })

const events = gateway.command('events').description('look after events')
const eventFields = ['userId', 'sessionId', 'itemId', 'eventType', 'eventValue', 'sentAt', 'eventId', 'properties']

events.command('import')
  .description('load events into a namespace\'s embedded recommender: JSON Lines, CSV or TSV, compressed (.gz) or not')
  .argument('<files...>', 'a folder stands for the files in it')
  .addOption(namespaceOption())
  .option('--event-type <type>', 'for records that name none (default: "view")')
  .option('--strict', 'take nothing of a file with a bad line in it; without, bad lines are listed and the others imported')
  .option('--columns <field=column,…>', `which column holds which of ${eventFields.join(', ')}`, columnsOption({ known: eventFields, required: [['itemId'], ['userId', 'sessionId']] }))
  .action(async (files: string[], options: ImportEventsOptions) => {
    const { importEventsFile } = await import('./cli/events-import.ts')
    await importEventsFile(files, options)
  })

const letters = events.command('dead-letters').description('look after events that a target with queued delivery did not take; REDIS_URL says where they are')

function onTarget (command: Command): Command {
  return command
    .addOption(namespaceOption())
    .addOption(nameOption('--target <name>', 'the target, as answers to events call it'))
    .addOption(new Option('--limit <n>', 'at most so many').argParser(limitOption))
}

function onLetters (command: Command): Command {
  return onTarget(command)
    .option('--id <ids...>', 'those with these ids, as the list has them')
    .option('--all', 'all of them, the oldest first')
}

onTarget(letters.command('list').description('show the oldest ones'))
  .option('--json', 'a line of JSON for each')
  .action(async (options: ListOptions) => {
    const { listDeadLetters } = await import('./cli/events-dead-letters.ts')
    await listDeadLetters(options)
  })

onLetters(letters.command('retry').description('have them delivered again')).action(async (options: ChoiceOptions) => {
  const { retryDeadLetters } = await import('./cli/events-dead-letters.ts')
  await retryDeadLetters(options)
})

onLetters(letters.command('drop').description('delete them for good')).action(async (options: ChoiceOptions) => {
  const { dropDeadLetters } = await import('./cli/events-dead-letters.ts')
  await dropDeadLetters(options)
})

events.command('replay')
  .description('send events to a gateway: a file of JSON Lines, compressed (.gz) or not, each line a body as POST /events takes it, or an event')
  .argument('<file>')
  .addOption(namespaceOption())
  .requiredOption('--url <url>', 'of the gateway, such as http://localhost:8080', urlOption)
  .option('--concurrency <number>', 'requests at once, 1 to 16', concurrencyOption, 4)
  .addOption(headerOption())
  .option('--from-start', 'begin anew where an earlier run was stopped')
  .action(async (file: string, options: ReplayCommandOptions) => {
    const { replayFile } = await import('./cli/events-replay.ts')
    await replayFile(file, options)
  })

gateway.command('experiments').description('look after experiments').command('report')
  .description('show the results of experiments so far, which may be looked at as often as you like; the admin key comes from ADMIN_KEY, or from --header')
  .requiredOption('--url <url>', 'of the gateway, such as http://localhost:8080', urlOption)
  .addOption(nameOption('--namespace <name>', 'the experiments of this namespace only', { mandatory: false }))
  .option('--json', 'the reports as JSON')
  .addOption(headerOption())
  .action(async (options: ExperimentsReportOptions) => {
    const { reportExperiments } = await import('./cli/experiments-report.ts')
    await reportExperiments(options)
  })

gateway.command('keys').description('look after API keys').command('new')
  .description('make an API key; it is shown only once, and the gateway gets its record, which holds no secret')
  .addOption(new Option('--scope <scope>', 'read, write or admin; may be repeated').makeOptionMandatory().argParser(scopeOption))
  .addOption(namesOption('--namespace <name>', 'a namespace that the key is limited to; may be repeated'))
  .option('--description <text>', 'kept in the record')
  .option('--file <file>', 'append the record to this file, as API_KEYS_FILE names it (default: print it below the key)')
  .action(async (options: NewKeyOptions) => {
    const { newKey } = await import('./cli/keys-new.ts')
    await newKey(options)
  })

gateway.command('openapi')
  .description('write the OpenAPI document of a configuration')
  .option('--config <file>', 'the configuration document', sampleConfigFile)
  .option('--output <file>', 'where to write it (default: standard output)')
  .action(async (options: { config: string, output?: string }) => {
    const { writeOpenApi } = await import('./cli/openapi.ts')
    await writeOpenApi(options)
  })

await gateway.parseAsync().catch(endWith)
