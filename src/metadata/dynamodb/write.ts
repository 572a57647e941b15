import { setTimeout } from 'node:timers/promises'
import { BatchWriteItemCommand, type WriteRequest } from '@aws-sdk/client-dynamodb'
import { within } from '../../base/deadline.ts'
import { UserError } from '../../base/user-error.ts'
import { failureOf, waitAfter } from './failure.ts'
import type { LoadTable } from './table.ts'

/** What BatchWriteItem takes. */
const itemsAtOnce = 25

/** It takes 16 MB, in which small values are several times as long as they count. */
const bytesAtOnce = 4 * 1024 * 1024

const callsAtOnce = 8

export interface SizedItem {
  request: WriteRequest
  size: number
}

export interface Writer {
  /** Resolves when there is room for more. Of two items with the same id the later one stays. @throws what an earlier write failed with */
  put: (itemId: string, item: SizedItem) => Promise<void>
  /** Writes what is left, and waits for all. @throws what a write failed with */
  end: () => Promise<void>
  /** Waits for what is under way, whatever comes of it. */
  settle: () => Promise<void>
}

/** Writes items in batches, several at a time. @param check called before each call, to throw where nothing is to be written any more */
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
    // In another batch at the same time, the earlier one of two with the same id could come last.
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

/** @throws UserError where DynamoDB takes nothing for too long; what it refuses */
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
