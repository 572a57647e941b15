import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { openAwsClient } from '../../connections/aws.ts'
import { CatalogError, type Catalog, type Item } from '../catalog.ts'
import { lockId, withLoadLock, type LastLoad, type LoadLock } from './lock.ts'
import { purge } from './purge.ts'
import type { LoadOutcome } from '../store-type.ts'
import { loadTimes, provision, tableName, type LoadTable, type LoadTimes, type TableConfig } from './table.ts'
import { BadAttributes, toAttributes } from './values.ts'
import { createWriter, type SizedItem } from './write.ts'

/** What an item may take, in bytes. */
const largestItem = 400 * 1024

/** So many bad items are told one by one. */
const mostListed = 20

/**
 * Puts a catalog in the place of the items of a namespace's table, item by item: first all are checked, then all written, and what is
 * older removed when the last one is written. A load that was ended in the middle is made good by the next one.
 * @throws CatalogError naming bad items, with nothing written
 */
export async function loadDynamoDb (config: TableConfig, catalog: Catalog, namespace: string, times: Partial<LoadTimes> = {}): Promise<LoadOutcome> {
  const client = await openAwsClient(DynamoDBClient)
  try {
    const table: LoadTable = { client, name: tableName(namespace), times: { ...loadTimes, ...times } }
    await provision(table, config)
    return await withLoadLock(table, catalog.tag, async lock => load(table, catalog, lock))
  } finally {
    client.destroy()
  }
}

async function load (table: LoadTable, catalog: Catalog, lock: LoadLock): Promise<number> {
  const version = versionOf(catalog, lock.last)
  await check(catalog, version, lock)
  await lock.begin(version)
  const writer = createWriter(table, lock.assertHeld)
  try {
    for await (const batch of catalog.items()) {
      for (const item of batch) await writer.put(item.itemId, toRequest(item, version))
    }
    await writer.end()
  } finally {
    await writer.settle()
  }
  const count = await purge(table, version, lock.assertHeld)
  lock.assertHeld()
  await lock.finish()
  return count
}

/**
 * When the catalog was made, but always later than the load before: by their versions, items of an older catalog that is loaded again
 * (or of one made in the same millisecond) have to be told from those to be removed.
 */
function versionOf ({ tag, madeAt }: Catalog, last: LastLoad): string {
  if (last.version === undefined) return toVersion(madeAt)
  return last.tag === tag ? last.version : toVersion(Math.max(madeAt, Date.parse(`${last.version}Z`) + 1))
}

/** @param ms epoch milliseconds */
export function toVersion (ms: number): string {
  return new Date(ms).toISOString().replace('Z', '')
}

/** Reads the whole catalog. @throws CatalogError for bad items, or where there are none */
async function check (catalog: Catalog, version: string, lock: LoadLock): Promise<void> {
  const problems: string[] = []
  let items = 0
  let bad = 0
  for await (const batch of catalog.items()) {
    lock.assertHeld()
    for (const item of batch) {
      items++
      const problem = problemOf(item, version)
      if (problem !== undefined && bad++ < mostListed) problems.push(`  item ${JSON.stringify(item.itemId)} ${problem}`)
    }
  }
  if (items === 0) throw new CatalogError(`there are no items in ${catalog.name}; nothing was changed`)
  if (bad === 0) return
  if (bad > mostListed) problems.push(`  and ${bad - mostListed} more`)
  throw new CatalogError(`refused, nothing was imported:\n${problems.join('\n')}`)
}

/** What is wrong with an item that the table would not take. */
export function problemOf (item: Item, version: string): string | undefined {
  if (item.itemId === lockId) return 'has an id that the gateway keeps for itself'
  if (!item.itemId.isWellFormed()) return 'has half a character (a lone surrogate) in its id'
  try {
    const { size } = toRequest(item, version)
    return size > largestItem ? `takes ${size} bytes; DynamoDB takes ${largestItem}` : undefined
  } catch (error) {
    if (error instanceof BadAttributes) return error.message
    throw error
  }
}

/** @throws BadAttributes */
export function toRequest ({ itemId, metadata }: Item, version: string): SizedItem {
  const { attributes, size } = toAttributes(metadata)
  const named = 'id'.length + Buffer.byteLength(itemId) + 'version'.length + version.length + 'put_via'.length + 'bulk'.length + 'attributes'.length
  return {
    request: { PutRequest: { Item: { id: { S: itemId }, version: { S: version }, put_via: { S: 'bulk' }, attributes: { M: attributes } } } },
    size: named + size
  }
}
