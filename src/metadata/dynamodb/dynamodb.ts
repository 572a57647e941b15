import { itemMetadataType } from '../store-type.ts'
import { DynamoDbSchema } from './config.ts'

/** Items in a DynamoDB table of the namespace. A cache in memory is off by default; `cacheTtl` and `cacheMaxItems` configure it. */
export const dynamodb = itemMetadataType({
  type: 'dynamodb',
  needsRegion: () => true,
  schema: DynamoDbSchema,
  check ({ billingMode, provisionedThroughput = {} }) {
    if (billingMode !== 'PROVISIONED') return []
    const missing = (['readCapacityUnits', 'writeCapacityUnits'] as const).filter(key => provisionedThroughput[key] === undefined)
    return missing.map(key => ({ key: `provisionedThroughput/${key}`, message: 'is missing; expected an integer with billingMode PROVISIONED' }))
  },
  async open (config, scope) {
    const { openDynamoDb } = await import('./open.ts')
    return openDynamoDb(config, scope)
  },
  async openSink (_config, scope) {
    const { openDynamoDbSink } = await import('./open.ts')
    return openDynamoDbSink(scope)
  },
  async load (config, catalog, { namespace, shrink = config.shrink, itemTables }) {
    const { loadDynamoDb } = await import('./load.ts')
    return loadDynamoDb({ ...config, ...shrink !== undefined && { shrink } }, catalog, namespace, {}, itemTables)
  }
})
