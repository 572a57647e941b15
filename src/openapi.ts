import { extraParametersOf } from './plan/plan.ts'
import type { NamespacePlan, Plan, RecommenderPlan } from './plan/plan.ts'

/** The parts of an OpenAPI 3.1 document that this module reads or rewrites. */
export interface OpenApiDocument {
  openapi: string
  info: { title: string, version: string, description?: string }
  tags?: Array<{ name: string, description?: string }>
  paths: Record<string, PathItem>
  [more: string]: unknown
}

type PathItem = Record<string, Operation>

interface Operation {
  operationId?: string
  summary?: string
  description?: string
  tags?: string[]
  parameters?: Parameter[]
  [more: string]: unknown
}

interface Parameter {
  name: string
  in: string
  schema?: { type?: string, default?: unknown, examples?: unknown[] }
  example?: unknown
  [more: string]: unknown
}

/** Ids of the sample store, so that a reader can try the examples. */
const examples: Readonly<Record<string, string>> = { userId: 'user-1', itemId: 'item-1', itemIds: 'item-1,item-2,item-3' }

/**
 * Returns the OpenAPI document of a configuration. It replaces each path that has placeholders for namespace and recommender by one
 * path for each namespace, recommender and action of the plan.
 */
export function concretePaths (document: OpenApiDocument, plan: Plan): OpenApiDocument {
  const namespaces = [...plan.namespaces.values()]
  const paths: Record<string, PathItem> = {}
  for (const [path, item] of Object.entries(document.paths)) {
    if (path.startsWith('/explain/')) paths[path] = item
    else if (path.includes('{recommender}')) Object.assign(paths, ...namespaces.flatMap(namespace => recommenderPaths(path, item, namespace)))
    else if (path.includes('{namespace}')) Object.assign(paths, ...namespaces.map(namespace => namespacePath(path, item, namespace)))
    else paths[path] = item
  }
  return {
    ...document,
    info: {
      title: plan.title ?? document.info.title,
      version: plan.version ?? document.info.version,
      ...(plan.description === undefined ? {} : { description: plan.description })
    },
    tags: [
      ...namespaces.map(({ name, title, description }) => ({ name, description: [title, description].filter(Boolean).join(': ') })),
      ...document.tags ?? []
    ],
    paths
  }
}

function recommenderPaths (path: string, item: PathItem, namespace: NamespacePlan): Array<Record<string, PathItem>> {
  return [...namespace.recommenders.values()]
    .filter(({ action }) => path.startsWith(`/${action}/`))
    .map(recommender => ({
      [path.replace('{namespace}', namespace.name).replace('{recommender}', recommender.name)]:
        rewrite(item, namespace.name, operation => describeRecommender(operation, recommender))
    }))
}

function namespacePath (path: string, item: PathItem, namespace: NamespacePlan): Record<string, PathItem> {
  return { [path.replace('{namespace}', namespace.name)]: rewrite(item, namespace.name, operation => operation) }
}

function rewrite (item: PathItem, namespace: string, describe: (operation: Operation) => Operation): PathItem {
  return Object.fromEntries(Object.entries(item).map(([method, operation]) => {
    const described = describe(operation)
    return [method, {
      ...described,
      operationId: `${described.operationId ?? method}.${namespace}`,
      tags: [namespace],
      parameters: (described.parameters ?? []).filter(({ name }) => name !== 'namespace' && name !== 'recommender').map(describeParameter)
    }]
  }))
}

function describeRecommender (operation: Operation, recommender: RecommenderPlan): Operation {
  const { name, title, description, variations, features } = recommender
  const about = [
    operation.description,
    description,
    `Variations: ${variations.map(variation => `\`${variation.name}\` (${variation.type})`).join(', ')}.`,
    features.length > 0 && `Experiments: ${features.map(feature => `\`${feature}\``).join(', ')}.`
  ]
  return {
    ...operation,
    operationId: `${operation.operationId ?? ''}.${name}`,
    summary: `${operation.summary ?? ''}: ${title ?? name}`,
    description: about.filter(Boolean).join('\n\n'),
    parameters: parametersOf(operation.parameters ?? [], recommender)
  }
}

/** Returns the parameters that a recommender takes: without filters where they would be refused, and with those that only it reads. */
function parametersOf (parameters: readonly Parameter[], recommender: RecommenderPlan): Parameter[] {
  const { variations, action } = recommender
  const usable = parameters.filter(({ name }) => variations[0]?.filters === true || !['filter', 'filterValues'].includes(name))
  const taken = new Set(parameters.map(({ name }) => name))
  const extra = extraParametersOf(recommender).filter(name => !taken.has(name))
  return [...usable, ...extra.map(name => ({ name, in: 'query', required: false, schema: { type: 'string' }, description: `Passed on to the provider of this recommender (${action}).` }))]
}

/** Adds an example, and marks a parameter with a default as optional. */
function describeParameter (parameter: Parameter): Parameter {
  const example = examples[parameter.name] ?? parameter.schema?.default ?? parameter.schema?.examples?.[0]
  return {
    ...parameter,
    ...(parameter.schema?.default === undefined ? {} : { required: false }),
    ...(example === undefined ? {} : { example })
  }
}
