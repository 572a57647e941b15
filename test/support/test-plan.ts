import { noRules } from '../../src/context/resolve.ts'
import { cachePolicies, createCacheControlHeader } from '../../src/cache/cache-control.ts'
import { recommenderKey, type ExperimentPlan, type Plan, type RecommenderPlan, type VariationPlan } from '../../src/plan/plan.ts'
import type { EventTarget } from '../../src/targets/target.ts'
import type { Action } from '../../src/origins/origin.ts'

/** Returns a variation that answers a, b and c by default. */
export function testVariation (name: string, more: Partial<VariationPlan> = {}): VariationPlan {
  return {
    name,
    type: 'test',
    config: {},
    origin: { recommend: async () => ({ items: ['a', 'b', 'c'].map(itemId => ({ itemId })) }) },
    local: false,
    timeout: 1000,
    hedge: undefined,
    fallback: [],
    contextRules: noRules,
    cacheControl: createCacheControlHeader(undefined),
    cachePolicies: cachePolicies(undefined),
    itemMetadata: undefined,
    filters: true,
    anyContext: false,
    parameters: [],
    ...more
  }
}

/** Returns a recommender without variations by default. */
export function testRecommender (action: Action, name: string, more: Partial<RecommenderPlan> = {}): RecommenderPlan {
  return { action, namespace: 'shop', name, title: undefined, description: undefined, variations: [], vary: '', varyEncoded: 'Accept-Encoding', postProcessor: undefined, experiments: new Map(), ...more }
}

/** Returns an experiment of `shop`'s home page, by its feature, that assigns the first variation to everybody. */
export function testExperiment (feature: string, more: Partial<ExperimentPlan> = {}): [string, ExperimentPlan] {
  const place = { namespace: 'shop', action: 'recommend-items', recommender: 'home', ...more } as const
  return [feature, {
    id: [place.namespace, place.action, place.recommender, feature].join('/'),
    feature,
    method: 'test',
    variations: ['a', 'b'],
    metrics: undefined,
    attribution: 60_000,
    userIds: 'hashed',
    impressions: false,
    experiment: { assign: () => ({ variation: undefined, why: 'assigned', hashes: {} }), shares: undefined },
    ...place
  }]
}

/** Returns a plan with one namespace, `shop`. */
export function testPlan (recommenders: RecommenderPlan[], eventTargets: Record<string, EventTarget> = {}): Plan {
  const byKey = new Map(recommenders.map(recommender => [recommenderKey(recommender.action, recommender.name), recommender]))
  const shop = { name: 'shop', title: undefined, description: undefined, recommenders: byKey, eventTargets: new Map(Object.entries(eventTargets)), itemImports: [], datasets: { users: new Map(), items: new Map() }, autoContext: undefined }
  return { generation: 1, fingerprint: 'test', version: undefined, title: undefined, description: undefined, warnings: [], namespaces: new Map([['shop', shop]]) }
}
