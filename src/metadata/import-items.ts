import { itemMetadataTypes } from './registry.ts'
import type { Catalog } from './catalog.ts'
import type { LoadPlace } from './store-type.ts'
import { UserError } from '../user-error.ts'

/**
 * Puts a catalog in the place of a namespace's items, in the store that a configuration names.
 * @returns how many items there are now; undefined where another instance does it or has done it
 * @throws ImportError listing bad lines, with nothing changed; UserError where the store takes no catalogs
 */
export async function importItems (config: { type: string }, catalog: Catalog, place: LoadPlace): Promise<number | undefined> {
  const load = itemMetadataTypes.get(config.type)?.load
  if (load === undefined) throw new UserError(`item metadata of type "${config.type}" is not the gateway's to import`)
  return load(config, catalog, place)
}
