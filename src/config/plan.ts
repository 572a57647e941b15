import { type EventTarget } from '../events/target.ts'
import { type ItemMetadataStore } from '../metadata/store.ts'
import { type Action, type Origin } from '../origins/origin.ts'
import { type CacheControl } from './cache-control.ts'

/** A configuration made ready to serve: inheritance flattened, origins open. It never changes; a new one takes its place. */
export interface Plan {
  /** Rises by one with each configuration that takes over in this process. */
  readonly generation: number
  readonly version: string | undefined
  readonly title: string | undefined
  readonly description: string | undefined
  readonly namespaces: ReadonlyMap<string, NamespacePlan>
}

export interface NamespacePlan {
  readonly name: string
  readonly title: string | undefined
  readonly description: string | undefined
  /** By `action/name`. */
  readonly recommenders: ReadonlyMap<string, RecommenderPlan>
  readonly eventTargets: readonly EventTarget[]
}

export interface RecommenderPlan {
  readonly action: Action
  readonly namespace: string
  readonly name: string
  readonly title: string | undefined
  readonly description: string | undefined
  /** In the order of the document; the first answers where no experiment decides. */
  readonly variations: readonly VariationPlan[]
  /** The names of its experiments. */
  readonly features: readonly string[]
}

export interface VariationPlan {
  readonly name: string
  readonly type: string
  readonly origin: Origin
  /** The most a request may take, in ms. */
  readonly timeout: number
  readonly cacheControl: CacheControl | undefined
  readonly itemMetadata: ItemMetadataStore | undefined
}

export function recommenderKey (action: Action, name: string): string {
  return `${action}/${name}`
}
