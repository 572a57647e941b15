import { type Static, type TObject } from 'typebox'
import { type Kind } from '../schema.ts'
import { type Scope } from '../scope.ts'

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
  filter?: string | undefined
  filterValues?: Readonly<Record<string, string>> | undefined
  context?: Readonly<Record<string, string>> | undefined
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
  recommendationId?: string
}

/** A provider of recommendations, ready to be asked. */
export interface Origin {
  /**
   * @param signal ends the wait
   * @throws what the provider said, classified
   */
  recommend: (request: OriginRequest, signal: AbortSignal) => Promise<OriginAnswer>
}

/** A kind of provider: the schema of its part of the configuration, the actions it knows and its factory. */
export interface OriginType<S extends TObject = TObject> extends Kind<S> {
  readonly actions: readonly Action[]
  open: (config: Static<S>, scope: Scope) => Promise<Origin>
}

/** Ties a factory's parameter to its schema, then forgets which, so that kinds of all schemas fit one registry. */
export function originType<S extends TObject> (type: OriginType<S>): OriginType {
  return type
}
