import { itemMetadataTypes } from './registry.ts'
import type { Catalog } from './catalog.ts'
import type { LoadOutcome, LoadPlace } from './store-type.ts'
import { UserError } from '../base/user-error.ts'

/**
 * Puts a catalog in the place of a namespace's items, in the store that a configuration names.
 * @throws ImportError listing bad lines, with nothing changed; UserError where the store takes no catalogs
 */
export async function importItems (config: { type: string }, catalog: Catalog, place: LoadPlace): Promise<LoadOutcome> {
  const load = itemMetadataTypes.get(config.type)?.load
  if (load === undefined) throw new UserError(`item metadata of type "${config.type}" is not the gateway's to import`)
  return load(config, catalog, place)
}
