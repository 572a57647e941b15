import Type from 'typebox'
import { registry, strict } from '../schema.ts'
import { localdb } from './localdb.ts'
import { personalize } from './personalize.ts'
import type { ItemMetadataType } from './store-type.ts'

const units = Type.Optional(Type.Integer({ minimum: 0 }))

/** Every kind of item metadata store that a configuration may name, by its `type`; those without a factory are not in this build. */
export const itemMetadataTypes = registry<ItemMetadataType>(
  localdb,
  personalize,
  {
    type: 'dynamodb',
    schema: strict({
      type: Type.Literal('dynamodb'),
      autoProvision: Type.Optional(Type.Boolean()),
      billingMode: Type.Optional(Type.Enum(['PROVISIONED', 'PAY_PER_REQUEST'])),
      provisionedThroughput: Type.Optional(strict({ readCapacityUnits: units, writeCapacityUnits: units }))
    })
  }
)
