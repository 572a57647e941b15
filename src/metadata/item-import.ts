import type { ItemTables } from './dynamodb/item-table.ts'

/** A namespace's item store that the gateway fills from the staging bucket. */
export interface ItemImport {
  readonly namespace: string
  /** The store's part of the configuration document. */
  readonly config: { readonly type: string }
  /** Interval of checks for a new catalog, in seconds. */
  readonly syncInterval: number
  /** The names of the tables of items, and of the field of a catalog that holds the id; absent: the defaults. */
  readonly itemTables?: ItemTables | undefined
}
