import type { ItemImport } from '../metadata/item-import.ts'
import { itemMetadataTypes } from '../metadata/registry.ts'
import type { Document } from './document.ts'
import { namespacesOf, recommendersOf, variationsOf, type RecommenderElement } from './elements.ts'
import { inherit } from './inherit.ts'

const defaultSyncInterval = 300

/** Returns the stores that a document names for a namespace, at any level, and that import catalogs: of each type, the outermost one. */
export function itemImportsOf (document: Document, name: string, recommenders: readonly RecommenderElement[] = recommendersOf(document)): ItemImport[] {
  const namespace = namespacesOf(document).find(element => element.name === name)
  if (namespace === undefined) return []
  const levels = [{ pointer: '', value: document }, namespace]
  const variations = recommenders
    .filter(recommender => recommender.namespace === name)
    .flatMap(recommender => variationsOf(recommender).map(variation => [...levels, recommender, variation]))
  const byType = new Map<string, ItemImport>()
  for (const path of [levels, ...variations]) {
    const config = inherit('inferenceItemMetadata', path)?.value
    if (config === undefined || byType.has(config.type) || itemMetadataTypes.get(config.type)?.load === undefined) continue
    const { syncInterval = defaultSyncInterval } = config as { syncInterval?: number }
    byType.set(config.type, { namespace: name, config, syncInterval })
  }
  return [...byType.values()]
}
