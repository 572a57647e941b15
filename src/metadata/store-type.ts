import type { Static, TObject } from 'typebox'
import type { Kind } from '../schema.ts'
import type { Scope } from '../scope.ts'
import type { ItemMetadataStore } from './store.ts'

/** A kind of item metadata store: the schema of its part of the configuration, and its factory. */
export interface ItemMetadataType<S extends TObject = TObject> extends Kind<S> {
  /** The columns that the provider is asked to bring along, for a kind that leaves it to the provider. */
  itemColumns?: (config: Static<S>) => readonly string[] | undefined
  /** Absent where this build does not have it: then a configuration that names it is refused. */
  open?: (config: Static<S>, scope: Scope) => Promise<ItemMetadataStore>
}

/** Ties a factory's parameter to its schema, then forgets which, so that kinds of all schemas fit one registry. */
export function itemMetadataType<S extends TObject> (type: ItemMetadataType<S>): ItemMetadataType {
  return type
}
