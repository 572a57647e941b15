import type { Static, TObject } from 'typebox'
import type { Provider } from '../base/errors.ts'
import type { Kind } from '../base/schema.ts'
import type { Scope } from '../connections/scope.ts'

/** The actions of recommenders, by their names in URLs and in the configuration. */
export const actions = ['recommend-items', 'related-items', 'rerank-items', 'predicted-ratings'] as const
export type Action = typeof actions[number]

export interface OriginRequest {
  action: Action
  namespace: string
  recommender: string
  /** Absent if the request names only an item. */
  userId?: string | undefined
  /** With related-items. */
  itemId?: string | undefined
  /** With rerank-items and predicted-ratings. */
  itemIds?: readonly string[] | undefined
  numResults: number
  /** The number of items that the caller wants, if `numResults` is higher because a post-processor may drop items. */
  wanted?: number | undefined
  /** The name or the ARN of a filter. */
  filter?: string | undefined
  filterValues?: Readonly<Record<string, string>> | undefined
  /** Values that are no text are only for providers with `anyContext`. */
  context?: Readonly<Record<string, unknown>> | undefined
  /** The query parameters that the provider's type reads besides those of the gateway. */
  parameters?: ReadonlyMap<string, string> | undefined
  /** Whether the caller wants item metadata. A provider that has metadata may add it to its answer. */
  decorateItems: boolean
}

/** One item of an answer. Further properties that a provider adds pass through. */
export interface RecommendedItem {
  itemId: string
  score?: number
  metadata?: unknown
  [more: string]: unknown
}

export interface OriginAnswer {
  items: RecommendedItem[]
  /** With predicted-ratings: one rating for each item, in the order of the request; null if the model has none. */
  ratings?: Array<number | null>
  recommendationId?: string | undefined
  /** Further members of the provider's answer, which pass through. */
  more?: Readonly<Record<string, unknown>> | undefined
}

/** An open provider of recommendations. It translates to and from the provider's protocol, and does no retries, caching or metrics. */
export interface Origin {
  /**
   * Calls the provider and returns its answer.
   * @param signal aborts the call
   * @throws OriginError
   */
  recommend: (request: OriginRequest, signal: AbortSignal) => Promise<OriginAnswer>
}

/** The scope of an origin: its shared resources, and its place in the configuration. */
export interface OriginScope extends Scope {
  recommender: {
    name: string
    /** The recommender as functions and models get it: as written, with what it inherits. */
    config: object
  }
  /** The variation as functions and models get it. */
  variation: object
  /** The columns of item metadata that the provider has to return; undefined unless the configuration asks for them. */
  itemColumns: readonly string[] | undefined
}

/** A type of provider: the schema of its part of the configuration, its actions, and its factory. */
export interface OriginType<S extends TObject = TObject> extends Kind<S> {
  readonly actions: readonly Action[]
  /** The provider in error codes. Absent for a provider in this process, which never waits and needs no protection. */
  readonly provider?: Provider
  /** The ARNs of what it calls. A variation with such an ARN is of this type, whatever its `type` says. */
  readonly arns?: RegExp
  /** Returns what is allowed in a configuration but is probably a mistake, by key. */
  warn?: (config: Static<S>, place: Pick<OriginRequest, 'action' | 'namespace' | 'recommender'>) => Promise<Array<{ key: string, message: string }>>
  /** Whether its providers take values of the context that are no text. Default: false. */
  readonly anyContext?: boolean
  /** Returns whether a variation applies the filter of a request. Default: false. */
  readonly filters?: (config: Static<S>) => boolean
  /** Returns the query parameters that a variation reads besides those of the gateway. Default: none. */
  readonly parameters?: (config: Static<S>) => readonly string[]
  /** Returns the mistakes of a configuration that the schema cannot find, by key. */
  check?: (config: Static<S>) => Array<{ key: string, message: string }>
  open: (config: Static<S>, scope: OriginScope) => Promise<Origin>
}

/** Ties the config of a factory to its schema, and returns the type without that tie, so that types of all schemas fit one registry. */
export function originType<S extends TObject> (type: OriginType<S>): OriginType {
  return type
}
