import { BatchWriteItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { DatasetSink, Entry } from '../../delivery/dataset.ts'
import { failures } from '../../delivery/failures.ts'
import type { Failure, Refusal } from '../../delivery/sink.ts'
import type { Item } from '../catalog.ts'
import { failureOf } from './failure.ts'
import type { ItemTable } from './item-table.ts'
import { problemOf, toRequest, toVersion } from './load.ts'
import type { Memories } from './memory.ts'
import { toAttributes, toJson } from './values.ts'

/** Limits of BatchWriteItem, with 4 concurrent calls. */
const limits = { parcels: 25, bytes: 4 * 1024 * 1024, calls: 4 }

/** Differs from `failures.refused` of other sinks only in its reason. */
const refused: Failure = { ...failures.refused, reason: 'it does not know us, or has no table yet: a load of a catalog makes it' }

export interface DynamoDbSinkOptions {
  client: DynamoDBClient
  table: ItemTable
  /** This process's caches of the table. */
  memories: Memories
  /** Epoch milliseconds. */
  now: () => number
}

/** Creates a sink that puts single items into a namespace's table as a load does: a load of a later catalog replaces or removes them. */
export function dynamoDbSink ({ client, table: { name, key }, memories, now }: DynamoDbSinkOptions): DatasetSink {
  return {
    limits,
    atomic: false,
    problemOf: entry => problemOf(itemOf(entry), toVersion(now()), key),
    async send (entries, abortSignal) {
      const version = toVersion(now())
      const requests = entries.map(entry => toRequest(itemOf(entry), version, key).request)
      const { UnprocessedItems } = await client.send(new BatchWriteItemCommand({ RequestItems: { [name]: requests } }), { abortSignal })
      const left = new Set(UnprocessedItems?.[name]?.map(({ PutRequest }) => PutRequest?.Item?.[key]?.S))
      const refusals = entries.map(({ id }): Refusal | undefined => left.has(id) ? failures.throttled : undefined)
      for (const entry of entries.filter(({ id }) => !left.has(id))) memories.learn(entry.id, toJson({ M: toAttributes(itemOf(entry).metadata).attributes }))
      return refusals
    },
    failureOf (error) {
      const failure = failureOf(error)
      return failure === 'refused' ? refused : failures[failure]
    }
  }
}

function itemOf ({ id, properties = '{}' }: Entry): Item {
  return { itemId: id, metadata: properties }
}
