import { join } from 'node:path'
import t, { type Test } from 'tap'
import { importItemsFile } from '../../src/cli/items-import.ts'
import { localDbDirectory } from '../../src/metadata/localdb/files.ts'
import { openLocalDb } from '../../src/metadata/localdb/open.ts'
import { refusal, startDynamo } from '../support/dynalite.ts'

/** Returns the lines that the command prints from now on, and keeps them off the terminal until the test ends. */
function keepPrinted (t: Test, method: 'log' | 'error'): string[] {
  const print = console[method].bind(console)
  const lines: string[] = []
  console[method] = (line: unknown) => { lines.push(String(line)) }
  t.teardown(() => { console[method] = print })
  return lines
}

/** Runs `items import` with these settings. */
async function run (t: Test, document: object | undefined, file: string, content: string): Promise<{ printed: string[], exitCode: unknown, stored: () => Promise<unknown> }> {
  const dataDir = t.testdir({ [file]: content, ...document && { 'config.json': JSON.stringify(document) } })
  const before = { DATA_DIR: process.env['DATA_DIR'], CONFIG_FILE: process.env['CONFIG_FILE'] }
  Object.assign(process.env, { DATA_DIR: dataDir, CONFIG_FILE: document === undefined ? '' : join(dataDir, 'config.json') })
  const printed = keepPrinted(t, 'log')
  try {
    await importItemsFile(join(dataDir, file), { namespace: 'shop' })
  } finally {
    Object.assign(process.env, { DATA_DIR: before.DATA_DIR ?? '', CONFIG_FILE: before.CONFIG_FILE ?? '' })
  }
  const { exitCode } = process
  process.exitCode = undefined
  return {
    printed,
    exitCode,
    async stored () {
      const store = await openLocalDb(localDbDirectory(dataDir, 'shop'), { onError: error => { throw error } })
      const found = await store.get(['a'], new AbortController().signal)
      await store.close()
      return found.get('a')
    }
  }
}

const named = { inferenceItemMetadata: { type: 'localdb' }, namespaces: { shop: {} } }

t.test('a file goes into the store that the configuration names', async t => {
  const { printed, exitCode, stored } = await run(t, named, 'items.jsonl', '{"id":"a","v":1}\n')
  t.match(printed, [/^shop has 1 items now \(localdb, \d+\.\d s\)$/])
  t.equal(exitCode, undefined)
  t.equal(await stored(), '{"v":1}')
})

t.test('an import into a namespace that the configuration lacks, or that has no store, is refused, and those that have one are named', async t => {
  const content = '{"id":"a"}\n'
  await t.rejects(run(t, undefined, 'items.jsonl', content), { message: /the sample store, .* has no namespace "shop"; it has sample-store$/ })
  await t.rejects(run(t, { namespaces: { one: {}, two: {} } }, 'items.jsonl', content), { message: /config\.json has no namespace "shop"; it has one, two$/ })
  await t.rejects(run(t, { namespaces: { shop: {} } }, 'items.jsonl', content), { message: /for the namespace "shop" no store .*inferenceItemMetadata.*; no namespace has one$/ })
  const localdb = { inferenceItemMetadata: { type: 'localdb' } }
  await t.rejects(run(t, { namespaces: { shop: { inferenceItemMetadata: { type: 'personalize' } }, other: localdb } }, 'items.jsonl', content), { message: /the namespaces with one are other$/ })
})

t.test('a configuration with mistakes stops it before anything is changed', async t => {
  await t.rejects(run(t, { namespaces: [] }, 'items.jsonl', '{"id":"a"}\n'), { name: 'ConfigError' })
})

t.test('what is refused is told', async t => {
  await t.rejects(run(t, named, 'items.jsonl', 'nonsense\n'), { message: /line 1: is not JSON/ })
})

t.test('a file goes into DynamoDB where the configuration names it, once', async t => {
  const dynamo = await startDynamo(t)
  const document = { namespaces: { shop: { inferenceItemMetadata: { type: 'dynamodb' } } } }
  const { printed, exitCode } = await run(t, document, 'items.jsonl', '{"id":"a","v":1}\n')
  t.match(printed, [/^shop has 1 items now \(dynamodb, /])
  t.equal(exitCode, undefined)
  t.match(await dynamo.item('PersonalizationApiItemMetadata_shop', 'a'), { attributes: { M: { v: { N: '1' } } } })
})

t.test('an import that brings nothing fails', async t => {
  const dynamo = await startDynamo(t)
  dynamo.intercept(({ operation }, pass) => operation === 'UpdateItem' ? refusal('ConditionalCheckFailedException') : pass())
  const errors = keepPrinted(t, 'error')
  const { printed, exitCode } = await run(t, { namespaces: { shop: { inferenceItemMetadata: { type: 'dynamodb' } } } }, 'items.jsonl', '{"id":"a"}\n')
  t.equal(exitCode, 1)
  t.strictSame(printed, [])
  t.match(errors, [/nothing was imported into dynamodb/])
})
