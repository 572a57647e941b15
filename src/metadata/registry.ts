import { registry } from '../base/schema.ts'
import { dynamodb } from './dynamodb/dynamodb.ts'
import { localdb } from './localdb/localdb.ts'
import { personalize } from './personalize.ts'
import type { ItemMetadataType } from './store-type.ts'

/** Every kind of item metadata store that a configuration may name, by its `type`. */
export const itemMetadataTypes = registry<ItemMetadataType>(localdb, personalize, dynamodb)
