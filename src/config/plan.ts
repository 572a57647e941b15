import type { LateAnswers } from '../cache/late-answers.ts'
import type { EventTarget } from '../events/target.ts'
import type { ItemMetadataStore } from '../metadata/store.ts'
import type { Filters } from '../context/rules.ts'
import type { PostProcessor } from '../inference/post-process.ts'
import type { Action, Origin } from '../origins/origin.ts'
import type { ProtectedOrigin } from '../origins/protect.ts'
import type { CacheControl } from './cache-control.ts'

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
  /** By what they are called in an answer. */
  readonly eventTargets: ReadonlyMap<string, EventTarget>
}

export interface RecommenderPlan {
  readonly action: Action
  readonly namespace: string
  readonly name: string
  readonly title: string | undefined
  readonly description: string | undefined
  /** In the order of the document; the first answers where no experiment decides. */
  readonly variations: readonly VariationPlan[]
  readonly postProcessor: PostProcessor | undefined
  /** The names of its experiments. */
  readonly features: readonly string[]
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
  /** With a hedge: what the provider answered too late for the one who asked. */
  readonly lateAnswers: LateAnswers | undefined
  /** Variations to ask where this one fails. */
  readonly fallback: readonly string[]
  readonly filters: Filters
  readonly cacheControl: CacheControl | undefined
  readonly itemMetadata: ItemMetadataStore | undefined
}

export function recommenderKey (action: Action, name: string): string {
  return `${action}/${name}`
}
