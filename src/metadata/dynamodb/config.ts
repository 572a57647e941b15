import Type from 'typebox'
import { strict, type Static } from '../../base/schema.ts'

const units = Type.Optional(Type.Integer({ minimum: 0 }))

/** The store's part of the configuration. */
export const DynamoDbSchema = strict({
  type: Type.Literal('dynamodb'),
  autoProvision: Type.Optional(Type.Boolean()),
  billingMode: Type.Optional(Type.Enum(['PROVISIONED', 'PAY_PER_REQUEST'])),
  provisionedThroughput: Type.Optional(strict({ readCapacityUnits: units, writeCapacityUnits: units })),
  syncInterval: Type.Optional(Type.Integer({ minimum: 5, maximum: 3600 })),
  shrink: Type.Optional(Type.Boolean()),
  cacheTtl: Type.Optional(Type.Integer({ minimum: 0, maximum: 86_400 })),
  cacheMaxItems: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 }))
})
export type DynamoDbConfig = Static<typeof DynamoDbSchema>
