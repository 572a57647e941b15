import type { Static, TObject } from 'typebox'
import type { Kind } from '../base/schema.ts'
import type { Scope } from '../connections/scope.ts'
import type { DatasetSink } from '../delivery/dataset.ts'
import type { Catalog } from './catalog.ts'
import type { ItemTables } from './dynamodb/item-table.ts'
import type { MetadataStats } from './stats.ts'
import type { ItemMetadataStore } from './store.ts'

export interface MetadataScope extends Scope {
  /** Counters of metadata lookups. */
  metadataStats: MetadataStats
  /** The names of the tables of items; absent: the defaults. */
  itemTables?: ItemTables | undefined
}

/** A kind of item metadata store: the schema of its part of the configuration, and its factory. */
export interface ItemMetadataType<S extends TObject = TObject> extends Kind<S> {
  /** The metadata columns to request from the provider, for a kind whose metadata comes with the provider's answers. */
  itemColumns?: (config: Static<S>) => readonly string[] | undefined
  /** Returns the errors of a configuration that its schema cannot express. A `key` is a JSON pointer without its first slash. */
  check?: (config: Static<S>) => Array<{ key: string, message: string }>
  open: (config: Static<S>, scope: MetadataScope) => Promise<ItemMetadataStore>
  /** Opens the sink for single items. Absent if the gateway does not store the items. */
  openSink?: (config: Static<S>, scope: MetadataScope) => Promise<DatasetSink>
  /**
   * Replaces a namespace's items with a catalog, also while servers run. Absent if the gateway does not store the items.
   * @throws ImportError listing bad lines or CatalogError, with nothing changed; UserError while another process of this machine imports
   */
  load?: (config: Static<S>, catalog: Catalog, place: LoadPlace) => Promise<LoadOutcome>
}

/** The number of items now; 'loaded' if this catalog was already loaded last; 'busy' if another instance is loading. */
export type LoadOutcome = number | 'loaded' | 'busy'

/** The destination of a catalog. */
export interface LoadPlace {
  dataDir: string
  namespace: string
  /** The names of the tables of items; absent: the defaults. */
  itemTables?: ItemTables | undefined
  /** Whether the catalog may have less than half of the items in use, whatever the configuration says. */
  shrink?: boolean | undefined
}

/** Returns the type as it is, checked for a factory that fits its schema. The schema's type is dropped, so that all kinds fit one registry. */
export function itemMetadataType<S extends TObject> (type: ItemMetadataType<S>): ItemMetadataType {
  return type
}
