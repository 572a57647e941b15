import Type from 'typebox'
import { registry, strict, type Kind } from '../schema.ts'
import { localdb } from './localdb.ts'
import { personalize } from './personalize.ts'
import { type ItemMetadataType } from './store-type.ts'

/** Every kind of item metadata store there is, by its `type`. */
export const itemMetadataTypes = registry<ItemMetadataType>(
  localdb,
  personalize
)

const units = Type.Optional(Type.Integer({ minimum: 0 }))

/** Stores that a configuration may name but that this build does not have. */
export const plannedItemMetadataTypes = registry<Kind>(
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
