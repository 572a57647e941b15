import { DeleteItemCommand, ScanCommand, type AttributeValue } from '@aws-sdk/client-dynamodb'
import { insist, type LoadTable } from './table.ts'

const deletesAtOnce = 25

/**
 * Removes the items that earlier loads wrote. Items that other writers put in the table stay.
 * @param check called before each call; throws when the purge has to stop
 * @returns the number of items of this version
 */
export async function purge (table: LoadTable, version: string, check: () => void): Promise<number> {
  let count = 0
  let from: Record<string, AttributeValue> | undefined
  do {
    check()
    const page = await insist(table, async options => table.client.send(new ScanCommand({
      TableName: table.name,
      ConsistentRead: true,
      ProjectionExpression: '#id, #version',
      FilterExpression: '#by = :bulk AND #version <= :version',
      ExpressionAttributeNames: { '#id': 'id', '#version': 'version', '#by': 'put_via' },
      ExpressionAttributeValues: { ':bulk': { S: 'bulk' }, ':version': { S: version } },
      ...(from === undefined ? {} : { ExclusiveStartKey: from })
    }), options))
    const items = page.Items ?? []
    const old = items.filter(item => item['version']?.S !== version).map(item => item['id']!)
    count += items.length - old.length
    for (let i = 0; i < old.length; i += deletesAtOnce) {
      check()
      await Promise.all(old.slice(i, i + deletesAtOnce).map(async id => remove(table, id, version)))
    }
    from = page.LastEvaluatedKey
  } while (from !== undefined)
  return count
}

/**
 * Counts the items that earlier loads wrote, for a table of which no load has noted that. Stops when there are more than enough.
 * @param check called before each call; throws when the count has to stop
 */
export async function countItems (table: LoadTable, enough: number, check: () => void): Promise<number> {
  let count = 0
  let from: Record<string, AttributeValue> | undefined
  do {
    check()
    const page = await insist(table, async options => table.client.send(new ScanCommand({
      TableName: table.name,
      Select: 'COUNT',
      FilterExpression: '#by = :bulk',
      ExpressionAttributeNames: { '#by': 'put_via' },
      ExpressionAttributeValues: { ':bulk': { S: 'bulk' } },
      ...(from === undefined ? {} : { ExclusiveStartKey: from })
    }), options))
    count += page.Count ?? 0
    from = page.LastEvaluatedKey
  } while (from !== undefined && count <= enough)
  return count
}

/** Removes an item, unless it was written again since the scan returned it. */
async function remove (table: LoadTable, id: AttributeValue, version: string): Promise<void> {
  try {
    await insist(table, async options => table.client.send(new DeleteItemCommand({
      TableName: table.name,
      Key: { id },
      ConditionExpression: '#by = :bulk AND #version < :version',
      ExpressionAttributeNames: { '#version': 'version', '#by': 'put_via' },
      ExpressionAttributeValues: { ':bulk': { S: 'bulk' }, ':version': { S: version } }
    }), options))
  } catch (error) {
    if ((error as Error).name !== 'ConditionalCheckFailedException') throw error
  }
}
