import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { openAwsClient } from '../../connections/aws.ts'
import { CatalogError, type Catalog, type Item } from '../catalog.ts'
import { UserError } from '../../base/user-error.ts'
import { lockId, withLoadLock, type LastLoad, type LoadLock } from './lock.ts'
import { isTableName, itemTableOf, tableNameFormat, type ItemTables } from './item-table.ts'
import { countItems, purge } from './purge.ts'
import { refuseShrink } from '../shrink.ts'
import type { LoadOutcome } from '../store-type.ts'
import { loadTimes, provision, type LoadTable, type LoadTimes, type TableConfig } from './table.ts'
import { BadAttributes, toAttributes } from './values.ts'
import { createWriter, type SizedItem } from './write.ts'

/** DynamoDB's limit of an item, in bytes. */
const largestItem = 400 * 1024

/** Bad items that the error lists one by one, at most. */
const mostListed = 20

/**
 * Replaces the items of a namespace's table with those of a catalog: checks all items, writes them one by one, then removes older ones.
 * If a load is interrupted, the next one repairs the table.
 * @throws CatalogError naming bad items, with nothing written; UserError if DynamoDB has no tables of this name
 */
export async function loadDynamoDb (config: TableConfig, catalog: Catalog, namespace: string, times: Partial<LoadTimes> = {}, tables?: ItemTables): Promise<LoadOutcome> {
  const itemTable = itemTableOf(namespace, tables)
  if (!isTableName(itemTable.name)) throw new UserError(`"${itemTable.name}" is not a name of a DynamoDB table: ${tableNameFormat}`)
  const client = await openAwsClient(DynamoDBClient)
  try {
    const table: LoadTable = { ...itemTable, client, times: { ...loadTimes, ...times } }
    await provision(table, config)
    return await withLoadLock(table, catalog.tag, async lock => load(table, catalog, lock, config.shrink))
  } finally {
    client.destroy()
  }
}

async function load (table: LoadTable, catalog: Catalog, lock: LoadLock, shrink: boolean | undefined): Promise<number> {
  const version = versionOf(catalog, lock.last)
  const now = await check(catalog, version, table, lock)
  refuseShrink(catalog.name, { before: lock.last.items ?? await countItems(table, 2 * now, lock.assertHeld), now, allowed: shrink })
  await lock.begin(version)
  const writer = createWriter(table, lock.assertHeld)
  try {
    for await (const batch of catalog.items()) {
      for (const item of batch) await writer.put(item.itemId, toRequest(item, version, table.key))
    }
    await writer.end()
  } finally {
    await writer.settle()
  }
  const count = await purge(table, version, lock.assertHeld)
  lock.assertHeld()
  await lock.finish(count)
  return count
}

/**
 * Returns the time at which the catalog was made, or a time just after the previous load's version if that is later: the purge tells items
 * of this load from older ones by their version, also if an older catalog (or one made in the same millisecond) is loaded.
 */
function versionOf ({ tag, madeAt }: Catalog, last: LastLoad): string {
  if (last.version === undefined) return toVersion(madeAt)
  return last.tag === tag ? last.version : toVersion(Math.max(madeAt, Date.parse(`${last.version}Z`) + 1))
}

/** Returns a time as the version of items: ISO 8601 without the zone. @param ms epoch milliseconds */
export function toVersion (ms: number): string {
  return new Date(ms).toISOString().replace('Z', '')
}

/** Reads and checks the whole catalog. @returns the number of its items @throws CatalogError for bad items, or if there are no items */
async function check (catalog: Catalog, version: string, { key }: LoadTable, lock: LoadLock): Promise<number> {
  const problems: string[] = []
  let items = 0
  let bad = 0
  for await (const batch of catalog.items()) {
    lock.assertHeld()
    for (const item of batch) {
      items++
      const problem = problemOf(item, version, key)
      if (problem !== undefined && bad++ < mostListed) problems.push(`  item ${JSON.stringify(item.itemId)} ${problem}`)
    }
  }
  if (items === 0) throw new CatalogError(`there are no items in ${catalog.name}; nothing was changed`)
  if (bad === 0) return items
  if (bad > mostListed) problems.push(`  and ${bad - mostListed} more`)
  throw new CatalogError(`refused, nothing was imported:\n${problems.join('\n')}`)
}

/** Returns why DynamoDB would refuse an item; undefined if it would accept it. */
export function problemOf (item: Item, version: string, key: string): string | undefined {
  if (item.itemId === lockId) return 'has an id that the gateway keeps for itself'
  if (!item.itemId.isWellFormed()) return 'has half a character (a lone surrogate) in its id'
  try {
    const { size } = toRequest(item, version, key)
    return size > largestItem ? `takes ${size} bytes; DynamoDB takes ${largestItem}` : undefined
  } catch (error) {
    if (error instanceof BadAttributes) return error.message
    throw error
  }
}

/** Returns the request that writes an item. @param key the attribute of its id @throws BadAttributes */
export function toRequest ({ itemId, metadata }: Item, version: string, key: string): SizedItem {
  const { attributes, size } = toAttributes(metadata)
  const named = Buffer.byteLength(key) + Buffer.byteLength(itemId) + 'version'.length + version.length + 'put_via'.length + 'bulk'.length + 'attributes'.length
  return {
    request: { PutRequest: { Item: { [key]: { S: itemId }, version: { S: version }, put_via: { S: 'bulk' }, attributes: { M: attributes } } } },
    size: named + size
  }
}
