import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { BrokenCircuitError, circuitBreaker, CircuitState, ConsecutiveBreaker, handleType } from 'cockatiel'
import Type from 'typebox'
import { awsClient } from '../../connections/aws.ts'
import { strict, type Static } from '../../base/schema.ts'
import { loadDynamoDb } from './load.ts'
import { lookUp, type Lookup } from './lookup.ts'
import { createMemories, remember, type Memories } from './memory.ts'
import { dynamoDbSink } from './put.ts'
import { tableName } from './table.ts'
import { itemMetadataType, type MetadataScope } from '../store-type.ts'
import { ItemMetadataError, type ItemMetadataStore } from '../store.ts'

const units = Type.Optional(Type.Integer({ minimum: 0 }))

const DynamoDbSchema = strict({
  type: Type.Literal('dynamodb'),
  autoProvision: Type.Optional(Type.Boolean()),
  billingMode: Type.Optional(Type.Enum(['PROVISIONED', 'PAY_PER_REQUEST'])),
  provisionedThroughput: Type.Optional(strict({ readCapacityUnits: units, writeCapacityUnits: units })),
  syncInterval: Type.Optional(Type.Integer({ minimum: 5, maximum: 3600 })),
  cacheTtl: Type.Optional(Type.Integer({ minimum: 0, maximum: 86_400 })),
  cacheMaxItems: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 }))
})
type DynamoDbConfig = Static<typeof DynamoDbSchema>

/** Opens after so many incomplete lookups in a row. Then only one request per `probeInterval` ms waits for DynamoDB, as a probe. */
const breaker = { failures: 10, probeInterval: 1_000 }

const defaultCacheMaxItems = 10_000

/** Items in a DynamoDB table of the namespace. A cache in memory is off by default; `cacheTtl` and `cacheMaxItems` configure it. */
export const dynamodb = itemMetadataType({
  type: 'dynamodb',
  schema: DynamoDbSchema,
  check ({ billingMode, provisionedThroughput = {} }) {
    if (billingMode !== 'PROVISIONED') return []
    const missing = (['readCapacityUnits', 'writeCapacityUnits'] as const).filter(key => provisionedThroughput[key] === undefined)
    return missing.map(key => ({ key: `provisionedThroughput/${key}`, message: 'is missing; expected an integer with billingMode PROVISIONED' }))
  },
  async open (config, scope) {
    const client = await awsClient(scope, DynamoDBClient)
    const { cacheTtl = 0, cacheMaxItems = defaultCacheMaxItems } = config
    return scope.share(`dynamodb/${scope.namespace}/${cacheTtl}/${cacheMaxItems}`, async () => createStore(client, config, scope, await memoriesOf(scope)), async store => store.close())
  },
  openSink: async (_config, scope) => dynamoDbSink({ client: await awsClient(scope, DynamoDBClient), table: tableName(scope.namespace), memories: await memoriesOf(scope), now: scope.now }),
  load: async (config, catalog, { namespace }) => loadDynamoDb(config, catalog, namespace)
})

async function memoriesOf (scope: MetadataScope): Promise<Memories> {
  return scope.share(`dynamodb memories/${scope.namespace}`, async () => createMemories(), () => {})
}

function createStore (client: DynamoDBClient, { cacheTtl: ttl = 0, cacheMaxItems: maxItems = defaultCacheMaxItems }: DynamoDbConfig, scope: MetadataScope, memories: Memories): ItemMetadataStore {
  const { metadataStats: stats, now, onError } = scope
  const table = tableName(scope.namespace)
  let told = false
  const lookup: Lookup = {
    client,
    table,
    stats,
    onRefused (cause) {
      // DynamoDB refuses each following call too, until somebody repairs the cause: one report is enough.
      if (!told) onError(new Error(refusal(table, cause as Error), { cause }))
      told = true
    },
    onServed () { told = false }
  }
  const circuit = circuitBreaker(handleType(ItemMetadataError), { breaker: new ConsecutiveBreaker(breaker.failures), halfOpenAfter: breaker.probeInterval })
  circuit.onBreak(() => { onError(new Error(`DynamoDB does not look up items in ${table}: they go out without their metadata until it does`)) })
  const get = async (itemIds: readonly string[], signal: AbortSignal): Promise<Map<string, string>> => {
    // Cockatiel would make all callers wait for the result of the probe.
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
