import type { Test } from 'tap'
import type { Action, Origin, OriginRequest } from '../../src/origins/origin.ts'
import { originTypes } from '../../src/origins/registry.ts'
import { createHolder } from '../../src/connections/scope.ts'
import { testResources } from './test-resources.ts'

interface Variation extends Record<PropertyKey, unknown> {
  type: string
}

/** The configuration of the recommender that contains the variation. */
export const recommenderConfig = { name: 'Home page', variations: {} }

/** Opens an origin as a configuration does, without resilience around it. It closes with the test. */
export async function openOrigin (t: Test, variation: Variation, itemColumns?: readonly string[]): Promise<Origin> {
  const resources = testResources(t.testdir())
  t.teardown(resources.close)
  const { scopeOf } = createHolder(resources)
  const recommender = { name: 'home', config: recommenderConfig }
  return originTypes.get(variation.type)!.open(variation, { ...scopeOf('shop'), recommender, variation, itemColumns })
}

const common = { namespace: 'shop', recommender: 'home', decorateItems: true }

/** A request for each action. */
export const requests = {
  'recommend-items': { action: 'recommend-items', ...common, userId: 'user-1', numResults: 4 },
  'related-items': { action: 'related-items', ...common, itemId: 'item-3', numResults: 4 },
  'rerank-items': { action: 'rerank-items', ...common, userId: 'user-1', itemIds: ['item-9', 'item-2', 'item-5'], numResults: 3 },
  'predicted-ratings': { action: 'predicted-ratings', ...common, userId: 'user-1', itemIds: ['item-9', 'item-2', 'item-5'], numResults: 3 }
} satisfies Record<Action, OriginRequest>
