import { nowhere } from './context/surroundings.ts'
import { experimentsOf, extraParametersOf, type NamespacePlan, type Plan, type RecommenderPlan } from './plan/plan.ts'

/** The parts of an OpenAPI 3.1 document that this module reads or rewrites. */
export interface OpenApiDocument {
  openapi: string
  info: { title: string, version: string, description?: string }
  tags?: Array<{ name: string, description?: string }>
  components?: Record<string, unknown>
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
  schema?: { type?: unknown, default?: unknown, examples?: unknown[], [more: string]: unknown }
  content?: Record<string, { schema?: object, example?: unknown }>
  example?: unknown
  [more: string]: unknown
}

/** The rules of the URL that no schema can state. */
const urlRules = 'A URL has at most 8,192 characters; percent-escapes are UTF-8. A query parameter with an empty value counts as absent. ' +
  'A parameter that an operation does not have changes nothing; the header `X-Personalization-Ignored-Parameters` of the answer names it.'

/** Items of the sample store, so that a reader can try the examples. */
const sampleItems = ['item-1', 'item-2', 'item-3']

export interface ConcreteOptions {
  /** Whether there are keys, without which nobody can use the routes of administrators. */
  admin: boolean
  /** Items that a namespace has, by its name; absent: those of the sample store. */
  items?: ReadonlyMap<string, readonly string[]>
}

/**
 * Returns the OpenAPI document of a configuration. It replaces each path that has placeholders for namespace and recommender by one
 * path for each namespace, recommender and action of the plan, and leaves out what this configuration cannot do.
 */
export function concretePaths (document: OpenApiDocument, plan: Plan, { admin, items = new Map() }: ConcreteOptions): OpenApiDocument {
  const namespaces = [...plan.namespaces.values()]
  const paths: Record<string, PathItem> = {}
  for (const [path, item] of Object.entries(document.paths)) {
    if (/^\/(?:explain|experiments)\b/.test(path) && !admin) continue
    if (path.startsWith('/experiments')) Object.assign(paths, ...namespaces.flatMap(namespace => experimentPaths(path, item, namespace)))
    else if (path.includes('{recommender}')) Object.assign(paths, ...namespaces.flatMap(namespace => recommenderPaths(path, item, namespace, items.get(namespace.name) ?? sampleItems)))
    else if (path.includes('{namespace}')) Object.assign(paths, ...namespaces.filter(namespace => takes(namespace, path)).map(namespace => namespacePath(path, item, namespace)))
    else paths[path] = item
  }
  return {
    ...document,
    components: document.components ?? {},
    info: {
      title: plan.title ?? document.info.title,
      version: plan.version ?? document.info.version,
      description: [plan.description, urlRules].filter(Boolean).join('\n\n')
    },
    tags: [
      ...namespaces.map(({ name, title, description }) => ({ name, description: [title, description].filter(Boolean).join(': ') })),
      ...document.tags ?? []
    ],
    paths
  }
}

/** Adds how a list is written: in one value, with commas. */
function serialised (parameter: Parameter): Parameter {
  return parameter.schema?.type === 'array' ? { ...parameter, style: parameter.in === 'path' ? 'simple' : 'form', explode: false } : parameter
}

/** Returns whether a namespace takes what is sent to a path. */
function takes ({ eventTargets, datasets }: NamespacePlan, path: string): boolean {
  if (path.startsWith('/users/')) return datasets.users.size > 0
  if (path.startsWith('/items/')) return datasets.items.size > 0
  return eventTargets.size > 0
}

function recommenderPaths (path: string, item: PathItem, namespace: NamespacePlan, items: readonly string[]): Array<Record<string, PathItem>> {
  return [...namespace.recommenders.values()]
    .filter(({ action }) => path.replace('/explain/', '/').startsWith(`/${action}/`))
    .map(recommender => ({
      [path.replace('{namespace}', encodeURIComponent(namespace.name)).replace('{recommender}', encodeURIComponent(recommender.name))]:
        rewrite(item, namespace.name, operation => describeRecommender(operation, recommender, items))
    }))
}

function namespacePath (path: string, item: PathItem, namespace: NamespacePlan, describe = (operation: Operation): Operation => operation): Record<string, PathItem> {
  return { [path.replace('{namespace}', encodeURIComponent(namespace.name))]: rewrite(item, namespace.name, describe) }
}

/** Returns a path for each experiment, for a namespace that has any, or for all of them. */
function experimentPaths (path: string, item: PathItem, namespace: NamespacePlan): Array<Record<string, PathItem>> {
  const experiments = experimentsOf(namespace)
  if (experiments.length === 0) return []
  if (!path.includes('{namespace}')) return [{ [path]: item }]
  if (!path.includes('{feature}')) return [namespacePath(path, item, namespace)]
  return experiments.map(({ recommender, feature }) => namespacePath(
    path.replace('{recommender}', encodeURIComponent(recommender)).replace('{feature}', encodeURIComponent(feature)),
    item,
    namespace,
    operation => ({
      ...operation,
      operationId: `${operation.operationId ?? ''}.${recommender}.${feature}`,
      summary: `${operation.summary ?? ''}: ${recommender}, ${feature}`,
      parameters: (operation.parameters ?? []).filter(({ name }) => name !== 'feature')
    })
  ))
}

function rewrite (item: PathItem, namespace: string, describe: (operation: Operation) => Operation): PathItem {
  return Object.fromEntries(Object.entries(item).map(([method, operation]) => {
    const described = describe(operation)
    return [method, {
      ...described,
      operationId: `${described.operationId ?? method}.${namespace}`,
      tags: described.tags ?? [namespace],
      parameters: (described.parameters ?? []).filter(({ name }) => name !== 'namespace' && name !== 'recommender').map(describeParameter)
    }]
  }))
}

function describeRecommender (operation: Operation, recommender: RecommenderPlan, items: readonly string[]): Operation {
  const { name, title, description, variations, experiments } = recommender
  const about = [
    operation.description,
    description,
    `Variations: ${variations.map(variation => `\`${variation.name}\` (${variation.type})`).join(', ')}.`,
    experiments.size > 0 && `Experiments: ${[...experiments.keys()].map(feature => `\`${feature}\``).join(', ')}.`
  ]
  return {
    ...operation,
    operationId: `${operation.operationId ?? ''}.${name}`,
    summary: `${operation.summary ?? ''}: ${title ?? name}`,
    description: about.filter(Boolean).join('\n\n'),
    parameters: parametersOf(operation.parameters ?? [], recommender).map(parameter => withExample(parameter, recommender, items))
  }
}

/** Returns the parameters that can have an effect on a recommender, with those that only it reads. */
function parametersOf (parameters: readonly Parameter[], recommender: RecommenderPlan): Parameter[] {
  const { variations, action, experiments } = recommender
  const useful: Readonly<Record<string, boolean>> = {
    feature: experiments.size > 0,
    filter: variations[0]?.filters === true,
    filterValues: variations[0]?.filters === true,
    decorateItems: variations.some(({ itemMetadata }) => itemMetadata !== undefined)
  }
  const taken = new Set(parameters.map(({ name }) => name))
  const extra = extraParametersOf(recommender).filter(name => !taken.has(name))
  return [
    ...parameters.filter(({ name }) => useful[name] ?? true),
    ...extra.map(name => ({ name, in: 'query', required: false, schema: { type: 'string' }, description: `Passed on to the provider of this recommender (${action}).` }))
  ]
}

/** Puts values into a parameter that this recommender has. */
function withExample (parameter: Parameter, { variations, experiments }: RecommenderPlan, items: readonly string[]): Parameter {
  const { examples: _, ...schema } = parameter.schema ?? {}
  const of = (example: unknown): Parameter => example === undefined ? { ...parameter, schema } : { ...parameter, schema, example }
  switch (parameter.name) {
    case 'itemIds': case 'items': return of(items)
    case 'userId': return of('user-1')
    case 'itemId': return of(items[0])
    case 'feature': return of([...experiments.keys()][0])
    case 'filter': return of(variations.flatMap(({ contextRules }) => contextRules.filters)[0]?.arn.replace(/^.*:filter\//, ''))
    case 'context': return withContext(parameter, variations)
    case 'filterValues': return withMap(parameter)
    default: return parameter
  }
}

/** Returns the parameter of the context: with an example, and for values that are text where the recommender takes no others. */
function withContext (parameter: Parameter, variations: RecommenderPlan['variations']): Parameter {
  return withMap(parameter, contextOf(variations), variations.some(({ anyContext }) => anyContext) ? {} : { additionalProperties: { type: 'string', maxLength: 1000 } })
}

/** Returns a parameter that is a JSON object, with an example and further members of its schema. */
function withMap ({ content = {}, ...parameter }: Parameter, example?: object, members: object = {}): Parameter {
  // Without an example, the page of /docs would invent a key, which no filter and no provider knows.
  const shown = example === undefined ? { examples: [{}] } : {}
  return {
    ...parameter,
    content: Object.fromEntries(Object.entries(content).map(([type, { schema, example: _, ...media }]) => [type, { ...media, schema: { ...schema, ...members, ...shown }, ...example === undefined ? {} : { example } }]))
  }
}

/** Returns a context with one of the fields that the rules of the variations derive. */
function contextOf (variations: RecommenderPlan['variations']): object | undefined {
  const [field] = variations.flatMap(({ contextRules }) => [...contextRules.autoContext?.derive(nowhere) ?? []])
  return field === undefined ? undefined : { [field[0]]: field[1].values[0] }
}

/** Adds an example. */
function describeParameter (parameter: Parameter): Parameter {
  const example = parameter.example ?? parameter.schema?.default ?? parameter.schema?.examples?.[0]
  return { ...serialised(parameter), ...(example === undefined ? {} : { example }) }
}
