import { setTimeout } from 'node:timers/promises'
import { BatchWriteItemCommand, type WriteRequest } from '@aws-sdk/client-dynamodb'
import { within } from '../../base/deadline.ts'
import { UserError } from '../../base/user-error.ts'
import { failureOf, waitAfter } from './failure.ts'
import type { LoadTable } from './table.ts'

/** Limit of BatchWriteItem. */
const itemsAtOnce = 25

/** BatchWriteItem takes requests of 16 MB. There, small values are several times longer than the size that DynamoDB counts. */
const bytesAtOnce = 4 * 1024 * 1024

const callsAtOnce = 8

export interface SizedItem {
  request: WriteRequest
  size: number
}

export interface Writer {
  /** Adds an item; resolves when there is room for more. Of two with the same id, the later one wins. @throws the error of an earlier write */
  put: (itemId: string, item: SizedItem) => Promise<void>
  /** Writes the remaining items, and waits for all writes. @throws the error of a write */
  end: () => Promise<void>
  /** Waits for the writes under way, and ignores their errors. */
  settle: () => Promise<void>
}

/** Creates a writer that sends items in concurrent batches. @param check called before each call; throws when the load has to stop */
export function createWriter (table: LoadTable, check: () => void): Writer {
  const calls = new Set<Promise<void>>()
  const underWay = new Set<string>()
  let batch = new Map<string, SizedItem>()
  let bytes = 0
  let failure: { error: unknown } | undefined

  const settle = async (): Promise<void> => { await Promise.all(calls) }

  function throwFailure (): void {
    if (failure !== undefined) throw failure.error
  }

  async function flush (): Promise<void> {
    if (batch.size === 0) return
    const items = batch
    batch = new Map()
    bytes = 0
    // If two concurrent batches held the same id, DynamoDB could apply the earlier item last.
    if ([...items.keys()].some(itemId => underWay.has(itemId))) await settle()
    throwFailure()
    for (const itemId of items.keys()) underWay.add(itemId)
    const call = writeBatch(table, [...items.values()].map(({ request }) => request), check)
      .catch((error: unknown) => { failure ??= { error } })
      .finally(() => {
        calls.delete(call)
        for (const itemId of items.keys()) underWay.delete(itemId)
      })
    calls.add(call)
    if (calls.size >= callsAtOnce) await Promise.race(calls)
    throwFailure()
  }

  return {
    settle,
    async put (itemId, item) {
      if (batch.size >= itemsAtOnce || (batch.size > 0 && bytes + item.size > bytesAtOnce)) await flush()
      bytes += item.size
      batch.set(itemId, item)
    },
    async end () {
      await flush()
      await settle()
      throwFailure()
    }
  }
}

/** Writes a batch, retrying unprocessed items. @throws UserError if DynamoDB takes no item for `times.stall`; the error of a refused call */
async function writeBatch (table: LoadTable, requests: WriteRequest[], check: () => void): Promise<void> {
  const { client, name, times } = table
  let progress = performance.now()
  let fruitless = 0
  for (let rest = requests; rest.length > 0;) {
    let cause: unknown
    check()
    try {
      const call = new BatchWriteItemCommand({ RequestItems: { [name]: rest } })
      const { UnprocessedItems } = await within(times.call, async options => client.send(call, options))
      const left = UnprocessedItems?.[name] ?? []
      if (left.length < rest.length) {
        progress = performance.now()
        fruitless = 0
      }
      rest = left
    } catch (error) {
      if (failureOf(error) === 'refused') throw error
      cause = error
    }
    if (rest.length === 0) return
    if (performance.now() - progress > times.stall) throw new UserError(`DynamoDB has taken no items into ${name} for ${times.stall / 1000} s`, { cause })
    await setTimeout(waitAfter(++fruitless, times.backoff))
  }
}
