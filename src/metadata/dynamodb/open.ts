import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { BrokenCircuitError, circuitBreaker, CircuitState, ConsecutiveBreaker, handleType } from 'cockatiel'
import { steadyPause } from '../../base/steady-time.ts'
import { awsClient } from '../../connections/aws.ts'
import type { DatasetSink } from '../../delivery/dataset.ts'
import type { MetadataScope } from '../store-type.ts'
import { ItemMetadataError, type ItemMetadataStore } from '../store.ts'
import type { DynamoDbConfig } from './config.ts'
import { lookUp, type Lookup } from './lookup.ts'
import { createMemories, remember, type Memories } from './memory.ts'
import { itemTableOf } from './item-table.ts'
import { dynamoDbSink } from './put.ts'

/** So many lookups in a row that do not get everything tell that it is away: then requests do not wait for it, but for one at a time. */
const breaker = { failures: 10, probeInterval: 1_000 }

const defaultCacheMaxItems = 10_000

/** Opens the items of the scope's namespace, shared by all whose configurations keep as much of them in memory. */
export async function openDynamoDb (config: DynamoDbConfig, scope: MetadataScope): Promise<ItemMetadataStore> {
  const client = await awsClient(scope, DynamoDBClient)
  const { cacheTtl = 0, cacheMaxItems = defaultCacheMaxItems } = config
  return scope.share(`dynamodb/${scope.namespace}/${cacheTtl}/${cacheMaxItems}`, async () => createStore(client, config, scope, await memoriesOf(scope)), async store => store.close())
}

/** Opens what single items of the scope's namespace are put through. */
export async function openDynamoDbSink (scope: MetadataScope): Promise<DatasetSink> {
  return dynamoDbSink({ client: await awsClient(scope, DynamoDBClient), table: itemTableOf(scope.namespace, scope.itemTables), memories: await memoriesOf(scope), now: scope.now })
}

async function memoriesOf (scope: MetadataScope): Promise<Memories> {
  return scope.share(`dynamodb memories/${scope.namespace}`, async () => createMemories(), () => {})
}

function createStore (client: DynamoDBClient, { cacheTtl: ttl = 0, cacheMaxItems: maxItems = defaultCacheMaxItems }: DynamoDbConfig, scope: MetadataScope, memories: Memories): ItemMetadataStore {
  const { metadataStats: stats, steady: now, onError } = scope
  const table = itemTableOf(scope.namespace, scope.itemTables)
  let told = false
  const lookup: Lookup = {
    client,
    table,
    stats,
    onRefused (cause) {
      // DynamoDB refuses each following call too, until somebody repairs the cause: one report is enough.
      if (!told) onError(new Error(refusal(table.name, cause as Error), { cause }))
      told = true
    },
    onServed () { told = false }
  }
  const circuit = circuitBreaker(handleType(ItemMetadataError), { breaker: new ConsecutiveBreaker(breaker.failures), halfOpenAfter: steadyPause(breaker.probeInterval) })
  circuit.onBreak(() => { onError(new Error(`DynamoDB does not look up items in ${table.name}: they go out without their metadata until it does`)) })
  const get = async (itemIds: readonly string[], signal: AbortSignal): Promise<Map<string, string>> => {
    // Cockatiel would have everybody wait for the probe.
    if (circuit.state === CircuitState.HalfOpen) throw new ItemMetadataError('unavailable', new Map())
    try {
      return await circuit.execute(async () => lookUp(lookup, itemIds, signal))
    } catch (error) {
      throw error instanceof BrokenCircuitError ? new ItemMetadataError('unavailable', new Map(), { cause: error }) : error
    }
  }
  if (ttl === 0) return { get, close: async () => {} }
  const memory = remember(get, { ttl, maxItems, now, stats })
  const forget = memories.add(memory.learn)
  return { get: memory.get, close: async () => { forget() } }
}

function refusal (table: string, { name }: Error): string {
  if (name === 'ResourceNotFoundException') return `there is no DynamoDB table ${table}: items go out without their metadata until a catalog is loaded`
  return `DynamoDB refuses to look up items in ${table} (${name}): they go out without their metadata`
}
