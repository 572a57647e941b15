import type { Rates } from '../limits/rates.ts'
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
import type { Experiment, ExperimentIdentity } from '../experiments/experiment.ts'
import type { Counted } from '../experiments/tally/store.ts'

/** A configuration that is ready to serve: inheritance flattened, origins open. It is immutable; another plan replaces it. */
export interface Plan {
  /** Increases by one with each configuration that takes over in this process. */
  readonly generation: number
  /** Equal on two instances if, and only if, they serve the same document from the same data. */
  readonly fingerprint: string
  readonly version: string | undefined
  readonly title: string | undefined
  readonly description: string | undefined
  /** Parts of the document that are valid, but probably not intended: one line each. */
  readonly warnings: readonly string[]
  readonly namespaces: ReadonlyMap<string, NamespacePlan>
}

export interface NamespacePlan {
  readonly name: string
  readonly title: string | undefined
  readonly description: string | undefined
  /** By `action/name`. */
  readonly recommenders: ReadonlyMap<string, RecommenderPlan>
  /** By their names in answers. */
  readonly eventTargets: ReadonlyMap<string, EventTarget>
  /** The destinations of its users and items. */
  readonly datasets: Datasets
  /** The stores of item metadata that the gateway fills. */
  readonly itemImports: readonly ItemImport[]
  /** The rules that derive properties of events. */
  readonly autoContext: AutoValues | undefined
  /** The rates of clients in this namespace, in the place of those of the process. */
  readonly rates?: Rates
}

export interface RecommenderPlan {
  readonly action: Action
  readonly namespace: string
  readonly name: string
  readonly title: string | undefined
  readonly description: string | undefined
  /** In the order of the document. Without an experiment, the first one answers. */
  readonly variations: readonly VariationPlan[]
  /** The request headers that its answers depend on, in the format of `Vary`; empty if there are none. */
  readonly vary: string
  /** The same for answers that go out in an encoding where the request allows it. */
  readonly varyEncoded: string
  readonly postProcessor: PostProcessor | undefined
  /** Its experiments by their features, in the order of the document. */
  readonly experiments: ReadonlyMap<string, ExperimentPlan>
}

/** An experiment of a recommender. */
export interface ExperimentPlan extends ExperimentIdentity, Counted {
  readonly experiment: Experiment
  /** How records of exposures name users. */
  readonly userIds: 'hashed' | 'plain'
  /** Whether event trackers of Amazon Personalize get exposures as impressions. */
  readonly impressions: boolean
}

export interface VariationPlan {
  readonly name: string
  readonly type: string
  /** The variation as functions and models get it: as written, with what it inherits. */
  readonly config: object
  readonly origin: Origin | ProtectedOrigin
  /** Whether it answers in this process, without waiting. */
  readonly local: boolean
  /** The most a request may take, in ms. */
  readonly timeout: number
  /** The variation whose answer is served if this one misses the deadline. */
  readonly hedge: string | undefined
  /** The variations to call if this one fails, in order. */
  readonly fallback: readonly string[]
  /** Its automatic context and its filters. Variations with equal rules share one object. */
  readonly contextRules: ContextRules
  /** The `Cache-Control` header for downstream caches. */
  readonly cacheControl: CacheControlHeader
  /** The policies of the gateway's own cache, by the kind of user. */
  readonly cachePolicies: CachePolicies
  readonly itemMetadata: ItemMetadataStore | undefined
  /** Whether it applies the filter of a request. */
  readonly filters: boolean
  /** Whether it takes values of the context that are no text. */
  readonly anyContext: boolean
  /** The query parameters that it reads besides those of the gateway. */
  readonly parameters: readonly string[]
}

/** Returns the plan of a namespace. @throws GatewayError 404 */
export function namespaceOf (plan: Plan, name: string): NamespacePlan {
  const namespace = plan.namespaces.get(name)
  if (namespace === undefined) throw new GatewayError('NamespaceNotFound', `namespace: "${name}" is not in the configuration`)
  return namespace
}

/** Returns all experiments of a namespace. */
export function experimentsOf ({ recommenders }: NamespacePlan): ExperimentPlan[] {
  return [...recommenders.values()].flatMap(({ experiments }) => [...experiments.values()])
}

/** Returns the query parameters that a recommender takes besides those of the gateway, sorted. */
export function extraParametersOf ({ variations }: RecommenderPlan): string[] {
  return [...new Set(variations.flatMap(({ parameters }) => parameters))].sort()
}

export function recommenderKey (action: Action, name: string): string {
  return `${action}/${name}`
}
