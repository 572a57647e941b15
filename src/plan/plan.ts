import type { Datasets } from './open-datasets.ts'
import { GatewayError } from '../base/errors.ts'
import type { EventTarget } from '../targets/target.ts'
import type { ItemMetadataStore } from '../metadata/store.ts'
import type { AutoValues } from '../context/auto-values.ts'
import type { ContextRules } from '../context/resolve.ts'
import type { PostProcessor } from '../origins/post-process.ts'
import type { Action, Origin } from '../origins/origin.ts'
import type { ProtectedOrigin } from '../origins/protect.ts'
import type { CacheControlHeader, CachePolicies } from '../cache/cache-control.ts'
import type { ItemImport } from '../metadata/item-import.ts'

/** A configuration made ready to serve: inheritance flattened, origins open. It never changes; another takes its place. */
export interface Plan {
  /** Rises by one with each configuration that takes over in this process. */
  readonly generation: number
  /** The same on every instance that serves the same document from the same data, and no other. */
  readonly fingerprint: string
  readonly version: string | undefined
  readonly title: string | undefined
  readonly description: string | undefined
  /** What is allowed in the document and hardly meant, a line each. */
  readonly warnings: readonly string[]
  readonly namespaces: ReadonlyMap<string, NamespacePlan>
}

export interface NamespacePlan {
  readonly name: string
  readonly title: string | undefined
  readonly description: string | undefined
  /** By `action/name`. */
  readonly recommenders: ReadonlyMap<string, RecommenderPlan>
  /** By what they are called in an answer. */
  readonly eventTargets: ReadonlyMap<string, EventTarget>
  /** Where its users and items go. */
  readonly datasets: Datasets
  /** The stores of its items that the gateway fills. */
  readonly itemImports: readonly ItemImport[]
  /** What is derived for the properties of events. */
  readonly autoContext: AutoValues | undefined
}

export interface RecommenderPlan {
  readonly action: Action
  readonly namespace: string
  readonly name: string
  readonly title: string | undefined
  readonly description: string | undefined
  /** In the order of the document; the first answers where no experiment decides. */
  readonly variations: readonly VariationPlan[]
  /** The request headers that its answers depend on, as `Vary` lists them; empty where there are none. */
  readonly vary: string
  /** The same for answers that go out in an encoding where the request allows it. */
  readonly varyEncoded: string
  readonly postProcessor: PostProcessor | undefined
  /** The names of its experiments. */
  readonly features: readonly string[]
  /** What conversions may count, by experiment; those that name nothing take anything. */
  readonly metrics: ReadonlyMap<string, readonly string[]>
}

export interface VariationPlan {
  readonly name: string
  readonly type: string
  /** As in the document, for providers that want to know. */
  readonly config: object
  readonly origin: Origin | ProtectedOrigin
  /** Whether it answers in this process, without waiting. */
  readonly local: boolean
  /** The most a request may take, in ms. */
  readonly timeout: number
  /** The variation to serve at the deadline in the place of this one. */
  readonly hedge: string | undefined
  /** Variations to ask where this one fails. */
  readonly fallback: readonly string[]
  /** Its automatic context and its filters; one object for all variations that have the same. */
  readonly contextRules: ContextRules
  /** What downstream caches may keep. */
  readonly cacheControl: CacheControlHeader
  /** What the gateway itself keeps. */
  readonly cachePolicies: CachePolicies
  readonly itemMetadata: ItemMetadataStore | undefined
}

/** @throws GatewayError 404 */
export function namespaceOf (plan: Plan, name: string): NamespacePlan {
  const namespace = plan.namespaces.get(name)
  if (namespace === undefined) throw new GatewayError('NamespaceNotFound', `namespace: "${name}" is not in the configuration`)
  return namespace
}

export function recommenderKey (action: Action, name: string): string {
  return `${action}/${name}`
}
