import { itemMetadataTypes } from './registry.ts'
import type { Catalog } from './catalog.ts'
import type { LoadOutcome, LoadPlace } from './store-type.ts'
import { UserError } from '../base/user-error.ts'

/**
 * Replaces a namespace's items with a catalog, in the store that a configuration names.
 * @throws ImportError listing bad lines, with nothing changed; UserError if the store takes no catalogs
 */
export async function importItems (config: { type: string }, catalog: Catalog, place: LoadPlace): Promise<LoadOutcome> {
  const load = itemMetadataTypes.get(config.type)?.load
  if (load === undefined) throw new UserError(`item metadata of type "${config.type}" cannot be imported: the gateway does not store these items`)
  return load(config, catalog, place)
}
