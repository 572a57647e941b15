import { hash } from 'node:crypto'
import { parseArn } from '../connections/aws.ts'
import { compileAutoValues } from '../context/auto-values.ts'
import { compileContext, type ContextRules } from '../context/resolve.ts'
import { openDatasets } from './open-datasets.ts'
import { openExperiments } from './open-experiments.ts'
import { openEventTargets } from '../targets/open-targets.ts'
import { openPostProcessor } from '../origins/post-process.ts'
import { itemMetadataTypes } from '../metadata/registry.ts'
import type { OriginScope } from '../origins/origin.ts'
import { ratesOf } from '../limits/rates.ts'
import { originTypes } from '../origins/registry.ts'
import type { protect, ProtectedOrigin } from '../origins/protect.ts'
import { defaults } from '../origins/resilience.ts'
import { noPeers } from '../connections/peers.ts'
import { createHolder } from '../connections/scope.ts'
import { cachePolicies, createCacheControlHeader } from '../cache/cache-control.ts'
import { inherited, type Document, type RecommenderConfig, type Tagged } from '../config/document.ts'
import { eventTargetsOf, namespacesOf, recommendersOf, variationsOf, type Element, type RecommenderElement } from '../config/elements.ts'
import { inherit } from '../config/inherit.ts'
import { sampleConfig } from '../config/sample-config.ts'
import { itemImportsOf } from '../config/item-imports.ts'
import { allWarningsOf } from '../config/all-warnings.ts'
import type { PlanScope, Resources } from './resources.ts'
import { recommenderKey, type NamespacePlan, type Plan, type RecommenderPlan, type VariationPlan } from './plan.ts'

/** A plan, and the function that releases everything that it holds open. */
export interface CompiledPlan {
  plan: Plan
  /** The digest of the document. */
  digest: string
  release: () => void
}

/**
 * Compiles a valid document into a plan, and opens everything that the document names.
 * @throws the first error of opening; then nothing stays open
 */
export async function compile (document: Document, generation: number, resources: Resources): Promise<CompiledPlan> {
  const { scopeOf, release } = createHolder(resources)
  // Without variations nothing can answer: a request for such a recommender gets a 404.
  const recommenders = recommendersOf(document).filter(recommender => variationsOf(recommender).length > 0)
  const root = { pointer: '', value: document }
  const rulesOf = contextCompiler()
  try {
    const namespaces = new Map<string, NamespacePlan>()
    for (const namespace of namespacesOf(document)) {
      const scope = scopeOf(namespace.name)
      const eventTargets = eventTargetsOf(namespace).map(({ value }) => value)
      const itemImports = itemImportsOf(document, namespace.name, recommenders).map(to => ({ ...to, itemTables: resources.itemTables }))
      const compiled = await inOrder(recommenders.filter(recommender => recommender.namespace === namespace.name), async recommender =>
        compileRecommender([root, namespace, recommender], recommender, sampleConfig(document, recommender), scope, rulesOf))
      namespaces.set(namespace.name, {
        name: namespace.name,
        title: namespace.value.name,
        description: namespace.value.description,
        recommenders: new Map(compiled.map(recommender => [recommenderKey(recommender.action, recommender.name), recommender])),
        autoContext: compileAutoValues(inherit('autoContext', [root, namespace])?.value),
        rates: ratesOf(namespace.value.rateLimit),
        itemImports,
        eventTargets: !resources.delivers ? new Map() : await openEventTargets(eventTargets, scope),
        datasets: await openDatasets(eventTargets, itemImports, scope)
      })
    }
    const { version, title, description } = document
    const digest = hash('sha1', JSON.stringify(document), 'base64url')
    return { digest, plan: { generation, fingerprint: digest, version, title, description, warnings: await allWarningsOf(document, { ...resources, countsApart: resources.redisUrl === undefined && resources.peers !== noPeers }), namespaces }, release }
  } catch (error) {
    release()
    throw error
  }
}

async function compileRecommender (levels: Array<Element<object>>, recommender: RecommenderElement, config: RecommenderConfig, scope: PlanScope, rulesOf: RulesOf): Promise<RecommenderPlan> {
  const { action, namespace, name, value } = recommender
  const variations = await inOrder(variationsOf(recommender), async variation =>
    compileVariation([...levels, variation], variation, config.variations![variation.name]!, { ...scope, recommender: { name, config } }, rulesOf))
  const headers = [...new Set(variations.flatMap(({ contextRules }) => contextRules.varying))].sort()
  return {
    action,
    namespace,
    name,
    title: value.name,
    description: value.description,
    postProcessor: value.responsePostProcessor && await openPostProcessor(value.responsePostProcessor, { name, config }, scope),
    experiments: await openExperiments(recommender, scope),
    vary: headers.join(', '),
    varyEncoded: [...headers.filter(header => header !== 'accept-encoding'), 'Accept-Encoding'].join(', '),
    variations
  }
}

async function compileVariation (levels: Array<Element<object>>, { name, value }: { name: string, value: Tagged }, config: object, scope: PlanScope & Pick<OriginScope, 'recommender'>, rulesOf: RulesOf): Promise<VariationPlan> {
  const own = Object.fromEntries(Object.entries(value).filter(([key]) => !(key in inherited)))
  const { provider, open, filters, anyContext = false, parameters } = originTypes.get(value.type)!
  const resilience = inherit('resilience', levels)?.value ?? {}
  const hedge = resilience.hedge === name ? undefined : resilience.hedge
  const cacheControl = inherit('cacheControl', levels)?.value
  const metadata = inherit('inferenceItemMetadata', levels)?.value
  const metadataType = metadata && itemMetadataTypes.get(metadata.type)
  const origin = await open(own, { ...scope, variation: config, itemColumns: metadataType?.itemColumns?.(metadata!) })
  return {
    name,
    type: value.type,
    config,
    origin: provider === undefined ? origin : await protectOrigin(origin, provider, resilience),
    local: provider === undefined,
    timeout: resilience.timeout ?? defaults.timeout,
    hedge,
    fallback: inherit('fallback', levels)?.value ?? [],
    contextRules: rulesOf(levels, placeOf(own)),
    cacheControl: createCacheControlHeader(cacheControl),
    cachePolicies: cachePolicies(cacheControl),
    itemMetadata: await metadataType?.open(metadata!, scope),
    filters: filters?.(own) ?? false,
    anyContext,
    parameters: parameters?.(own) ?? []
  }
}

/** Loads the breaker and the bulkhead with the first origin that is not in this process. */
async function protectOrigin (...args: Parameters<typeof protect>): Promise<ProtectedOrigin> {
  const { protect } = await import('../origins/protect.ts')
  return protect(...args)
}

type RulesOf = (levels: ReadonlyArray<Element<object>>, place: string | undefined) => ContextRules

/** Returns partition, region and account of a Personalize variation, or undefined. Filters of another place do not apply to it. */
function placeOf ({ arn }: { arn?: unknown }): string | undefined {
  return typeof arn === 'string' && arn.includes(':personalize:') ? placeOfArn(arn) : undefined
}

function placeOfArn (arn: string): string {
  const { partition, region, account } = parseArn(arn)
  return `${partition}:${region}:${account}`
}

/** Returns a compiler that compiles equal rules once, so that they can be compared by identity. */
function contextCompiler (): RulesOf {
  const compiled = new Map<string, ContextRules>()
  return (levels, place) => {
    const autoContext = inherit('autoContext', levels)?.value
    const filters = inherit('filters', levels)?.value?.filter(({ arn }) => place === undefined || placeOfArn(arn) === place)
    const key = JSON.stringify([autoContext, filters])
    const rules = compiled.get(key) ?? compileContext(autoContext, filters)
    compiled.set(key, rules)
    return rules
  }
}

/** Opens one after the other, so that no other opening is running when one fails. */
async function inOrder<T, R> (values: readonly T[], open: (value: T) => Promise<R>): Promise<R[]> {
  const opened: R[] = []
  for (const value of values) opened.push(await open(value))
  return opened
}
