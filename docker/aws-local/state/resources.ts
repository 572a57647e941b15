import type { DatasetGroup, World } from './world.ts'

/** Kinds of resources, by their names in operations. */
export type Kind = 'DatasetGroup' | 'Recommender' | 'Solution' | 'SolutionVersion' | 'Campaign' | 'EventTracker' | 'Filter' | 'Dataset' | 'Schema'

/** A resource in Personalize's format. */
export type Resource = Readonly<Record<string, unknown>>
export type Resources = Readonly<Record<Kind, readonly Resource[]>>

/** 2026-09-01, in epoch seconds. */
const created = 1_788_220_800
const times = { creationDateTime: created, lastUpdatedDateTime: created }
const settled = { status: 'ACTIVE', ...times }
const arn = (...path: string[]): string => `arn:aws:personalize:us-east-1:123456789012:${path.join('/')}`
const recipeArn = (recipe: string): string => `arn:aws:personalize:::recipe/${recipe}`

/** Returns all resources of a world, with their ARNs. */
export function describe ({ datasetGroups }: World): Resources {
  const each = (of: (group: DatasetGroup, owner: { datasetGroupArn: string }) => Resource[]): Resource[] =>
    datasetGroups.flatMap(group => of(group, { datasetGroupArn: arn('dataset-group', group.name) }))
  return {
    DatasetGroup: each(({ name, domain }, owner) => [{ name, ...owner, ...settled, domain }]),
    Recommender: each(({ recommenders = [] }, owner) => recommenders.map(({ name, recipe }) => ({
      name,
      recommenderArn: arn('recommender', name),
      ...owner,
      recipeArn: recipeArn(recipe),
      recommenderConfig: { minRecommendationRequestsPerSecond: 1, enableMetadataWithRecommendations: true },
      ...settled
    }))),
    Solution: each(({ campaigns = [] }, owner) => campaigns.map(({ name, recipe }) => ({
      name, solutionArn: arn('solution', name), ...owner, recipeArn: recipeArn(recipe), ...settled
    }))),
    SolutionVersion: each(({ campaigns = [] }, owner) => campaigns.map(({ name, recipe }) => ({
      name, solutionVersionArn: versionArn(name), solutionArn: arn('solution', name), ...owner, recipeArn: recipeArn(recipe), trainingMode: 'FULL', ...settled
    }))),
    Campaign: each(({ campaigns = [] }) => campaigns.map(({ name }) => ({
      name,
      campaignArn: arn('campaign', name),
      solutionVersionArn: versionArn(name),
      minProvisionedTPS: 1,
      campaignConfig: { enableMetadataWithRecommendations: true, syncWithLatestSolutionVersion: false },
      ...settled
    }))),
    EventTracker: each(({ eventTrackers = [] }, owner) => eventTrackers.map(({ name, trackingId }) => ({
      name, eventTrackerArn: arn('event-tracker', name), accountId: '123456789012', trackingId, ...owner, ...settled
    }))),
    Filter: each(({ filters = [] }, owner) => filters.map(({ name, expression }) => ({
      name, filterArn: arn('filter', name), ...owner, filterExpression: expression, ...settled
    }))),
    Dataset: each(({ name }, owner) => datasetTypes.map(type => ({
      name: `${name}-${type}`, datasetArn: arn('dataset', name, type), ...owner, datasetType: type, schemaArn: arn('schema', `${name}-${type}`), ...settled
    }))),
    Schema: each(group => datasetTypes.map(type => ({
      name: `${group.name}-${type}`, schemaArn: arn('schema', `${group.name}-${type}`), schema: avro(group, type), ...times, domain: group.domain
    })))
  }
}

const datasetTypes = ['INTERACTIONS', 'ITEMS', 'USERS'] as const

const versionArn = (solution: string): string => arn('solution', solution, '5f3c9a1e')

/** Returns the schema of a dataset, an Avro record. */
function avro ({ contextFields = [], itemColumns = [] }: DatasetGroup, type: typeof datasetTypes[number]): string {
  const strings = (...names: string[]): unknown[] => names.map(name => ({ name, type: 'string' }))
  const optional = (names: readonly string[]): unknown[] => names.map(name => ({ name, type: ['null', 'string'], categorical: true }))
  const fields = {
    INTERACTIONS: [...strings('USER_ID', 'ITEM_ID', 'EVENT_TYPE'), { name: 'TIMESTAMP', type: 'long' }, ...optional(contextFields)],
    ITEMS: [...strings('ITEM_ID'), ...optional(itemColumns)],
    USERS: strings('USER_ID')
  }
  const name = type.charAt(0) + type.slice(1).toLowerCase()
  return JSON.stringify({ type: 'record', name, namespace: 'com.amazonaws.personalize.schema', fields: fields[type], version: '1.0' })
}
