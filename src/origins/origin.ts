import type { Static, TObject } from 'typebox'
import type { Provider } from '../base/errors.ts'
import type { Kind } from '../base/schema.ts'
import type { Scope } from '../connections/scope.ts'

/** What can be asked of a recommender, by its name in URLs and in the configuration. */
export const actions = ['recommend-items', 'related-items', 'rerank-items', 'predicted-ratings'] as const
export type Action = typeof actions[number]

export interface OriginRequest {
  action: Action
  namespace: string
  recommender: string
  /** Absent where only an item is known. */
  userId?: string | undefined
  /** With related-items. */
  itemId?: string | undefined
  /** With rerank-items and predicted-ratings. */
  itemIds?: readonly string[] | undefined
  numResults: number
  /** How many the caller wants, where `numResults` looks ahead for a post-processor. */
  wanted?: number | undefined
  /** Name or ARN. */
  filter?: string | undefined
  filterValues?: Readonly<Record<string, string>> | undefined
  context?: Readonly<Record<string, string>> | undefined
  /** Whether the caller wants metadata, for a provider that brings it along. */
  decorateItems: boolean
}

/** One item of an answer. What a provider says of an item beyond these passes through. */
export interface RecommendedItem {
  itemId: string
  score?: number
  metadata?: unknown
  [more: string]: unknown
}

export interface OriginAnswer {
  items: RecommendedItem[]
  /** With predicted-ratings, in the order asked; null where the model gives none. */
  ratings?: Array<number | null>
  recommendationId?: string | undefined
}

/** A provider of recommendations, ready to be asked. It knows its protocol and nothing else: no retries, no caching, no metrics. */
export interface Origin {
  /**
   * @param signal ends the wait
   * @throws OriginError
   */
  recommend: (request: OriginRequest, signal: AbortSignal) => Promise<OriginAnswer>
}

/** What an origin may know of its place in the configuration, and open there. */
export interface OriginScope extends Scope {
  recommender: {
    name: string
    /** As in the document. */
    config: object
  }
  /** The variation as in the document. */
  variation: object
  /** The columns of item metadata that the provider is to bring along, where the configuration says so. */
  itemColumns: readonly string[] | undefined
}

/** A kind of provider: the schema of its part of the configuration, the actions it knows and its factory. */
export interface OriginType<S extends TObject = TObject> extends Kind<S> {
  readonly actions: readonly Action[]
  /** How its errors are called; absent where it is in this process: then it never waits, and needs no protection. */
  readonly provider?: Provider
  /** What is wrong with a configuration that its schema cannot say, by key. */
  check?: (config: Static<S>) => Array<{ key: string, message: string }>
  open: (config: Static<S>, scope: OriginScope) => Promise<Origin>
}

/** Ties a factory's parameter to its schema, then forgets which, so that kinds of all schemas fit one registry. */
export function originType<S extends TObject> (type: OriginType<S>): OriginType {
  return type
}
