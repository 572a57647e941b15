import type { Finding } from '../base/validation.ts'
import { isTableName, itemTableOf, tableNameFormat, type ItemTables } from '../metadata/dynamodb/item-table.ts'
import type { Document } from './document.ts'
import { namespacesOf, recommendersOf } from './elements.ts'
import { itemImportsOf } from './item-imports.ts'

/** Returns a finding for each namespace with items in DynamoDB whose table would have a name that DynamoDB does not accept. */
export function tableNameWarnings (document: Document, itemTables?: ItemTables): Finding[] {
  const recommenders = recommendersOf(document)
  return namespacesOf(document)
    .filter(({ name }) => !isTableName(itemTableOf(name, itemTables).name))
    .filter(({ name }) => itemImportsOf(document, name, recommenders).some(({ config }) => config.type === 'dynamodb'))
    .map(({ name, pointer }) => ({
      pointer,
      message: `has its items in the DynamoDB table "${itemTableOf(name, itemTables).name}", which is not a name of a table (${tableNameFormat}): its items cannot be loaded, and go out without their metadata; rename the namespace`
    }))
}
