import type { ItemImport } from '../metadata/item-import.ts'
import { namedTargets } from '../targets/open-targets.ts'
import { itemMetadataTypes } from '../metadata/registry.ts'
import { openDataset, type Dataset } from '../delivery/dataset.ts'
import { openPersonalizeDataset } from '../targets/personalize-datasets.ts'
import type { PlanScope } from './resources.ts'

/** The destinations of a namespace's users and items, by their names in answers. */
export interface Datasets {
  readonly users: ReadonlyMap<string, Dataset>
  readonly items: ReadonlyMap<string, Dataset>
}

/**
 * Opens the datasets that event targets name, under the names of those targets, and the stores of item metadata that the gateway fills,
 * under the names of their types.
 */
export async function openDatasets (targets: ReadonlyArray<{ type: string }>, stores: readonly ItemImport[], scope: PlanScope): Promise<Datasets> {
  const users = new Map<string, Dataset>()
  const items = new Map<string, Dataset>()
  for (const [name, config] of namedTargets(targets)) {
    const { usersDatasetArn, itemsDatasetArn } = config as { usersDatasetArn?: string, itemsDatasetArn?: string }
    if (usersDatasetArn !== undefined) users.set(name, await openPersonalizeDataset('users', usersDatasetArn, scope))
    if (itemsDatasetArn !== undefined) items.set(name, await openPersonalizeDataset('items', itemsDatasetArn, scope))
  }
  for (const { config } of stores) {
    const sink = await itemMetadataTypes.get(config.type)?.openSink?.(config, scope)
    if (sink !== undefined) items.set(config.type, await openDataset(scope, `items of ${scope.namespace} in ${config.type}`, sink))
  }
  return { users, items }
}
