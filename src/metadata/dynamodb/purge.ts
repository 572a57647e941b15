import { DeleteItemCommand, ScanCommand, type AttributeValue, type ScanCommandInput, type ScanCommandOutput } from '@aws-sdk/client-dynamodb'
import { insist, type LoadTable } from './table.ts'

const deletesAtOnce = 25

/**
 * Removes the items that earlier loads wrote. Items that other writers put in the table stay.
 * @param check called before each call; throws when the purge has to stop
 * @returns the number of items of this version
 */
export async function purge (table: LoadTable, version: string, check: () => void): Promise<number> {
  let count = 0
  const pages = scan(table, {
    ConsistentRead: true,
    ProjectionExpression: '#id, #version',
    FilterExpression: '#by = :bulk AND #version <= :version',
    ExpressionAttributeNames: { '#id': table.key, '#version': 'version', '#by': 'put_via' },
    ExpressionAttributeValues: { ':bulk': { S: 'bulk' }, ':version': { S: version } }
  }, check)
  for await (const { Items: items = [] } of pages) {
    const old = items.filter(item => item['version']?.S !== version).map(item => item[table.key]!)
    count += items.length - old.length
    for (let i = 0; i < old.length; i += deletesAtOnce) {
      check()
      await Promise.all(old.slice(i, i + deletesAtOnce).map(async id => remove(table, id, version)))
    }
  }
  return count
}

/**
 * Counts the items that earlier loads wrote, for a table of which no load has noted that. Stops when there are more than enough.
 * @param check called before each call; throws when the count has to stop
 */
export async function countItems (table: LoadTable, enough: number, check: () => void): Promise<number> {
  let count = 0
  const pages = scan(table, {
    Select: 'COUNT',
    FilterExpression: '#by = :bulk',
    ExpressionAttributeNames: { '#by': 'put_via' },
    ExpressionAttributeValues: { ':bulk': { S: 'bulk' } }
  }, check)
  for await (const { Count = 0 } of pages) {
    count += Count
    if (count > enough) break
  }
  return count
}

/** Yields the pages of a scan. @param check called before each call */
async function * scan (table: LoadTable, input: Omit<ScanCommandInput, 'TableName' | 'ExclusiveStartKey'>, check: () => void): AsyncGenerator<ScanCommandOutput> {
  let from: Record<string, AttributeValue> | undefined
  do {
    check()
    const page = await insist(table, async options => table.client.send(new ScanCommand({ ...input, TableName: table.name, ...from !== undefined && { ExclusiveStartKey: from } }), options))
    yield page
    from = page.LastEvaluatedKey
  } while (from !== undefined)
}

/** Removes an item, unless it was written again since the scan returned it. */
async function remove (table: LoadTable, id: AttributeValue, version: string): Promise<void> {
  try {
    await insist(table, async options => table.client.send(new DeleteItemCommand({
      TableName: table.name,
      Key: { [table.key]: id },
      ConditionExpression: '#by = :bulk AND #version < :version',
      ExpressionAttributeNames: { '#version': 'version', '#by': 'put_via' },
      ExpressionAttributeValues: { ':bulk': { S: 'bulk' }, ':version': { S: version } }
    }), options))
  } catch (error) {
    if ((error as Error).name !== 'ConditionalCheckFailedException') throw error
  }
}
