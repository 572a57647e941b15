import { setTimeout } from 'node:timers/promises'
import { BatchGetItemCommand, type AttributeValue, type BatchGetItemCommandOutput, type DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { isId } from '../../base/schema.ts'
import { failureOf, waitAfter } from './failure.ts'
import type { ItemTable } from './item-table.ts'
import { lockId } from './lock.ts'
import { toJson } from './values.ts'
import type { MetadataStats } from '../stats.ts'
import { ItemMetadataError, type Undecorated } from '../store.ts'

/** Limit of BatchGetItem. */
const keysAtOnce = 100

/** Concurrent calls of one lookup, at most. */
const callsAtOnce = 5

/** Retries of a call that failed as unavailable (a broken connection or a 5xx). */
const brokenRetries = 1

/** In ms. The signal ends the wait. */
const backoff = { base: 25, cap: 500 }

export interface Lookup {
  client: DynamoDBClient
  table: ItemTable
  stats: MetadataStats
  /** Receives the error of a call that DynamoDB would refuse again. */
  onRefused: (error: unknown) => void
  /** Called after each call that DynamoDB served. */
  onServed: () => void
}

interface Failure {
  reason: Undecorated
  cause: unknown
}

/**
 * Looks up items by id. An id that is given twice is looked up once.
 * @throws ItemMetadataError if some could not be looked up; it carries the items that were found
 */
export async function lookUp (lookup: Lookup, itemIds: Iterable<string>, signal: AbortSignal): Promise<Map<string, string>> {
  const chunks = chunked([...new Set(itemIds)].filter(isKey), keysAtOnce)
  const found = new Map<string, string>()
  const failures: Failure[] = []
  const worker = async (): Promise<void> => {
    for (let chunk = chunks.shift(); chunk !== undefined; chunk = chunks.shift()) {
      const failure = await lookUpChunk(lookup, chunk, found, signal)
      if (failure !== undefined) failures.push(failure)
    }
  }
  await Promise.all(Array.from({ length: Math.min(callsAtOnce, chunks.length) }, worker))
  const [first] = failures
  if (first === undefined) return found
  lookup.stats.failed[first.reason]++
  throw new ItemMetadataError(first.reason, found, { cause: first.cause })
}

/** Returns whether DynamoDB accepts a key. One invalid key makes it refuse the whole call, and no item can be stored under such a key. */
function isKey (itemId: string): boolean {
  return isId(itemId) && itemId.isWellFormed() && itemId !== lockId
}

function chunked<T> (values: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(values.length / size) }, (_, i) => values.slice(i * size, (i + 1) * size))
}

type Keys = Array<Record<string, AttributeValue>>

/** Calls DynamoDB until it has served all keys or the signal aborts. @returns the reason if some keys were not served */
async function lookUpChunk (lookup: Lookup, itemIds: readonly string[], found: Map<string, string>, signal: AbortSignal): Promise<Failure | undefined> {
  const { stats, table: { key } } = lookup
  let keys: Keys = itemIds.map(id => ({ [key]: { S: id } }))
  let fruitless = 0
  let broken = 0
  let reason: Undecorated = 'timeout'
  for (;;) {
    try {
      const rest = await ask(lookup, keys, found, signal)
      if (rest.length === 0) return
      stats.throttled++
      reason = 'throttled'
      // An answer that reaches 16 MB leaves the remaining keys unprocessed without any throttling: the backoff need not grow.
      fruitless = rest.length < keys.length ? 1 : fruitless + 1
      keys = rest
    } catch (cause) {
      if (signal.aborted) return { reason, cause }
      const failure = failureOf(cause)
      if (failure === 'refused') lookup.onRefused(cause)
      if (failure === 'refused' || (failure === 'unavailable' && broken++ >= brokenRetries)) return { reason: 'unavailable', cause }
      if (failure === 'throttled') {
        stats.throttled++
        reason = 'throttled'
      }
      fruitless++
    }
    stats.retriedKeys += keys.length
    await setTimeout(waitAfter(fruitless, backoff), undefined, { signal }).catch(() => {})
  }
}

/** Makes one call. @returns the keys that DynamoDB left unprocessed */
async function ask ({ client, table: { name, key }, stats, onServed }: Lookup, keys: Keys, found: Map<string, string>, signal: AbortSignal): Promise<Keys> {
  signal.throwIfAborted()
  stats.calls++
  const call = new BatchGetItemCommand({ RequestItems: { [name]: { Keys: keys, ProjectionExpression: '#key, attributes', ExpressionAttributeNames: { '#key': key } } } })
  const answer: BatchGetItemCommandOutput = await client.send(call, { abortSignal: signal })
  onServed()
  for (const { [key]: id, attributes } of answer.Responses?.[name] ?? []) {
    if (id?.S !== undefined && attributes?.M !== undefined) found.set(id.S, toJson(attributes))
  }
  return answer.UnprocessedKeys?.[name]?.Keys ?? []
}
