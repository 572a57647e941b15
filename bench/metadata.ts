/**
 * Item metadata of a large catalog: how fast and how large is an import, how fast is a look-up, and do requests notice a swap?
 *   node dist/bench/metadata.js [--items 1000000] [--rate 1000]
 * For comparison, SQLite imports the same file with the same reader, if Node.js includes it (from version 22.13).
 * The catalog is written into a temporary folder, not ordered by id.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { localDbDirectory } from '../src/metadata/localdb/files.ts'
import { openLocalDb } from '../src/metadata/localdb/open.ts'
import { writeCatalog, itemIdOf, seededIds } from './metadata-catalog.ts'
import { importInto, importIntoSqlite, measureBrokenImport, measureKilledImport, writeConfig, type Imported } from './metadata-import.ts'
import { importSqlite, openSqlite, sqliteIsThere } from './metadata-sqlite.ts'
import { answerItems, measureSwap } from './metadata-swap.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { items: { type: 'string', default: '1000000' }, rate: { type: 'string', default: '1000' } }
})
const count = Number(values.items)
/** The p99 that a look-up may have, in ms, by the number of items. */
const budgets = { 25: 0.15, 100: 0.5, 500: 2.5 }
const lookUps = 5_000

const [role, ...rest] = positionals
if (role === 'origin') answerItems(count)
else if (role === 'sqlite') await importSqlite(rest[0]!, rest[1]!)
else await main()

async function main (): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-metadata-'))
  try {
    const [first, second, broken] = ['first', 'second', 'broken'].map(name => join(folder, `${name}.jsonl`)) as [string, string, string]
    await writeCatalog(first, count, 1)
    await writeCatalog(second, count, 2)
    await writeCatalog(broken, count, 3, { brokenLine: count - 1 })
    writeConfig(folder)
    const withSqlite = await sqliteIsThere()
    if (!withSqlite) console.log(`Node.js ${process.versions.node} has no SQLite: measured without it`)

    const imports: Record<string, Imported> = { 'gateway items import': await importInto(folder, first) }
    if (withSqlite) imports['SQLite'] = await importIntoSqlite(first, join(folder, 'items.sqlite'))
    console.log(`${count} items imported`)
    console.table(imports)
    await reportLookUps(folder, withSqlite)
    console.log(`a swap of ${count} items under ${values.rate} requests a second, 25 items each`)
    console.table(await measureSwap(folder, second, { rate: Number(values.rate), count }))
    console.log(await measureBrokenImport(folder, broken, count - 1))
    console.log(await measureKilledImport(folder, first, count))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function reportLookUps (folder: string, withSqlite: boolean): Promise<void> {
  const store = await openLocalDb(localDbDirectory(folder, 'bench'), { onError: error => { throw error } })
  const sqlite = withSqlite ? await openSqlite(join(folder, 'items.sqlite')) : undefined
  const { signal } = new AbortController()
  const ours = async (ids: string[]): Promise<number> => (await store.get(ids, signal)).size
  // Reads all items, so that both stores are in memory, as on a server that has run for a while.
  for (let i = 0; i < count; i += 100) {
    const ids = Array.from({ length: 100 }, (_, j) => itemIdOf((i + j) % count))
    if (await ours(ids) !== 100 || (sqlite !== undefined && sqlite.get(ids).size !== 100)) throw new Error('not all items are there')
  }
  console.log(`look-ups of random items, ${lookUps} each`)
  console.table(Object.fromEntries(Object.entries(budgets).map(([size, budget]) => {
    const random = seededIds(count)
    const times: Record<'ours' | 'sqlite', number[]> = { ours: [], sqlite: [] }
    for (let i = 0; i < lookUps; i++) {
      const ids = random(Number(size))
      times.ours.push(timed(() => { void store.get(ids, signal) }))
      const others = random(Number(size))
      if (sqlite !== undefined) times.sqlite.push(timed(() => { sqlite.get(others) }))
    }
    const [p50, p99] = [at(times.ours, 0.5), at(times.ours, 0.99)]
    const beside = sqlite === undefined ? {} : { 'SQLite p50': ms(at(times.sqlite, 0.5)), 'SQLite p99': ms(at(times.sqlite, 0.99)), 'p50 : SQLite\'s': (p50 / at(times.sqlite, 0.5)).toFixed(2), 'p99 : SQLite\'s': (p99 / at(times.sqlite, 0.99)).toFixed(2) }
    return [`${size} items`, { p50: ms(p50), p99: ms(p99), budget: ms(budget), ...beside }]
  })))
  sqlite?.close()
  await store.close()
}

function timed (task: () => void): number {
  const started = performance.now()
  task()
  return performance.now() - started
}

function at (times: number[], share: number): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length * share)]!
}

function ms (value: number): string {
  return `${value.toFixed(3)} ms`
}
