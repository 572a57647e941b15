import { randomUUID } from 'node:crypto'
import { GetItemCommand, UpdateItemCommand, type AttributeValue, type UpdateItemCommandInput } from '@aws-sdk/client-dynamodb'
import { within } from '../../base/deadline.ts'
import { UserError } from '../../base/user-error.ts'
import { insist, type LoadTable } from './table.ts'

/** Id of the item that holds the lock's owner and the state of the last load. No catalog may contain this id. */
export const lockId = 'personalization-gateway:load'

/** Tag and version that the previous load noted when it began to write, and the number of items of the last load that was completed. */
export interface LastLoad {
  items?: number
  tag: string | undefined
  version: string | undefined
}

/** The lock that the loading instance holds. */
export interface LoadLock {
  readonly last: LastLoad
  /** @throws UserError if the lock was lost */
  assertHeld: () => void
  /** Records the version of the items that the load writes from now on. */
  begin: (version: string) => Promise<void>
  /** Records that the load is complete, with the number of its items, and releases the lock. */
  finish: (items: number) => Promise<void>
}

/**
 * Runs a load under a lock, so that no other instance loads at the same time. The clocks of instances must differ by less than `deadAfter`.
 * @returns 'busy' if another instance is loading; 'loaded' if the last complete load had this tag
 * @throws UserError if the lock was lost meanwhile; the error of the load, with the lock released
 */
export async function withLoadLock<T> (table: LoadTable, tag: string, load: (lock: LoadLock) => Promise<T>): Promise<T | 'loaded' | 'busy'> {
  const { heartbeat, deadAfter, call } = table.times
  const owner = randomUUID()
  const names = { '#owner': 'owner', '#expires': 'expires' }
  const ours = { ':owner': { S: owner } }
  const expiry = (): AttributeValue => ({ N: String(Date.now() + deadAfter) })

  /** The times between which the lock of another instance expires. One that expires later is left from before a clock was set back. */
  const bounds = (): Record<string, AttributeValue> => ({ ':now': { N: String(Date.now()) }, ':latest': { N: String(Date.now() + 2 * deadAfter) } })

  const update = (expression: Expression): UpdateItemCommand => new UpdateItemCommand({
    TableName: table.name, Key: { [table.key]: { S: lockId } }, ConditionExpression: '#owner = :owner', ...expression
  })
  const note = async (expression: Expression): Promise<void> => {
    await insist(table, async options => table.client.send(update(expression), options)).catch((error: unknown) => { throw isConditionFailed(error) ? lostLock(error) : error })
  }
  const lostLock = (cause?: unknown): UserError => new UserError(`the load of ${table.name} has lost its lock; the next one begins anew`, { cause })
  const release = { UpdateExpression: 'REMOVE #owner, #expires', ExpressionAttributeNames: names, ExpressionAttributeValues: ours }

  let heldUntil = 0
  let lost = false
  const last = await claim()
  if (last === undefined) return await isLoaded() ? 'loaded' : 'busy'
  const timer = setInterval(() => { void renew() }, heartbeat).unref()

  async function claim (): Promise<LastLoad | undefined> {
    try {
      const { Attributes } = await insist(table, async options => {
        heldUntil = performance.now() + deadAfter
        return table.client.send(update({
          UpdateExpression: 'SET #owner = :owner, #expires = :expires, #by = :by',
          ConditionExpression: '(attribute_not_exists(#owner) OR #owner = :owner OR #expires < :now OR #expires > :latest) AND (attribute_not_exists(#tag) OR #tag <> :tag OR #complete = :no)',
          ExpressionAttributeNames: { ...names, '#by': 'put_via', '#tag': 'tag', '#complete': 'complete' },
          ExpressionAttributeValues: { ...ours, ':expires': expiry(), ...bounds(), ':by': { S: 'gateway' }, ':tag': { S: tag }, ':no': { BOOL: false } },
          ReturnValues: 'ALL_NEW'
        }), options)
      })
      const items = Attributes?.['items']?.N
      return { tag: Attributes?.['tag']?.S, version: Attributes?.['version']?.S, ...items !== undefined && { items: Number(items) } }
    } catch (error) {
      if (isConditionFailed(error)) return undefined
      throw error
    }
  }

  /** Returns whether the catalog with this tag was loaded completely. */
  async function isLoaded (): Promise<boolean> {
    const { Item } = await insist(table, async options => table.client.send(new GetItemCommand({ TableName: table.name, Key: { [table.key]: { S: lockId } }, ConsistentRead: true }), options))
    return Item?.['tag']?.S === tag && Item['complete']?.BOOL === true
  }

  async function renew (): Promise<void> {
    const began = performance.now()
    try {
      await within(call, async options => table.client.send(update({
        UpdateExpression: 'SET #expires = :expires', ExpressionAttributeNames: names, ExpressionAttributeValues: { ...ours, ':expires': expiry() }
      }), options))
      heldUntil = began + deadAfter
    } catch (error) {
      // Other errors are transient, or the lock expires.
      if (isConditionFailed(error)) lost = true
    }
  }

  const lock: LoadLock = {
    last,
    assertHeld () {
      if (lost || performance.now() > heldUntil) throw lostLock()
    },
    begin: async version => note({
      UpdateExpression: 'SET #tag = :tag, #version = :version, #complete = :no',
      ExpressionAttributeNames: { '#owner': 'owner', '#tag': 'tag', '#version': 'version', '#complete': 'complete' },
      ExpressionAttributeValues: { ...ours, ':tag': { S: tag }, ':version': { S: version }, ':no': { BOOL: false } }
    }),
    finish: async items => {
      try {
        await note({
          UpdateExpression: 'SET #complete = :yes, #items = :items REMOVE #owner, #expires',
          ExpressionAttributeNames: { ...names, '#complete': 'complete', '#items': 'items' },
          ExpressionAttributeValues: { ...ours, ':yes': { BOOL: true }, ':items': { N: String(items) } }
        })
      } catch (error) {
        // The response to the first attempt may have been lost after it released the lock: then the second attempt fails its condition.
        if (!(error instanceof UserError) || !await isLoaded()) throw error
      }
    }
  }

  try {
    return await load(lock)
  } catch (error) {
    // One call without retries: if it fails, the lock expires by itself, and the caller needs the error of the load.
    await within(call, async options => table.client.send(update(release), options)).catch(() => {})
    throw error
  } finally {
    clearInterval(timer)
  }
}

type Expression = Omit<UpdateItemCommandInput, 'TableName' | 'Key'>

function isConditionFailed (error: unknown): boolean {
  return (error as Error).name === 'ConditionalCheckFailedException'
}
