import type { Static, TObject } from 'typebox'
import type { Kind } from '../base/schema.ts'
import type { Scope } from '../connections/scope.ts'
import type { DatasetSink } from '../delivery/dataset.ts'
import type { Catalog } from './catalog.ts'
import type { MetadataStats } from './stats.ts'
import type { ItemMetadataStore } from './store.ts'

export interface MetadataScope extends Scope {
  /** Counts the lookups of items' metadata. */
  metadataStats: MetadataStats
}

/** A kind of item metadata store: the schema of its part of the configuration, and its factory. */
export interface ItemMetadataType<S extends TObject = TObject> extends Kind<S> {
  /** The columns that the provider is asked to bring along, for a kind that leaves it to the provider. */
  itemColumns?: (config: Static<S>) => readonly string[] | undefined
  /** What is wrong with a configuration that its schema cannot say, by key: a JSON pointer without its first slash. */
  check?: (config: Static<S>) => Array<{ key: string, message: string }>
  open: (config: Static<S>, scope: MetadataScope) => Promise<ItemMetadataStore>
  /** What single items are put through; absent where the items are not the gateway's. */
  openSink?: (config: Static<S>, scope: MetadataScope) => Promise<DatasetSink>
  /**
   * Puts a catalog in the place of a namespace's items, also under running servers. Absent where the items are not the gateway's.
   * @throws ImportError listing bad lines or CatalogError, with nothing changed; UserError while another process of this machine does the same
   */
  load?: (config: Static<S>, catalog: Catalog, place: LoadPlace) => Promise<LoadOutcome>
}

/** How many items there are now; or that this catalog is the one that was loaded last, or that another instance is loading. */
export type LoadOutcome = number | 'loaded' | 'busy'

/** Where a catalog goes. */
export interface LoadPlace {
  dataDir: string
  namespace: string
}

/** Ties a factory's parameter to its schema, then forgets which, so that kinds of all schemas fit one registry. */
export function itemMetadataType<S extends TObject> (type: ItemMetadataType<S>): ItemMetadataType {
  return type
}
