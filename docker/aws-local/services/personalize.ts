import Type from 'typebox'
import { jsonRpc, rpcFaults } from '../protocol.ts'
import { Refusal } from '../refusal.ts'
import type { Scope } from '../scope.ts'
import { operation, type Operation, type Service } from '../service.ts'
import type { Kind, Resource, Resources } from '../state/resources.ts'

interface KindOperations {
  /** Names of the members with one resource and with several ones in an answer. */
  one: string
  many: string
  arn: string
  /** The member of a list's input that limits the list to the resources of a parent. */
  parent?: 'datasetGroupArn' | 'solutionArn'
  /** Members that a list omits. */
  detail?: readonly string[]
}

const group = 'datasetGroupArn'

const kinds: Readonly<Record<Kind, KindOperations>> = {
  DatasetGroup: { one: 'datasetGroup', many: 'datasetGroups', arn: group },
  Recommender: { one: 'recommender', many: 'recommenders', arn: 'recommenderArn', parent: group },
  Solution: { one: 'solution', many: 'solutions', arn: 'solutionArn', parent: group, detail: [group] },
  SolutionVersion: {
    one: 'solutionVersion', many: 'solutionVersions', arn: 'solutionVersionArn', parent: 'solutionArn', detail: [group, 'name', 'solutionArn', 'recipeArn']
  },
  Campaign: { one: 'campaign', many: 'campaigns', arn: 'campaignArn', parent: 'solutionArn', detail: ['solutionVersionArn', 'minProvisionedTPS', 'campaignConfig'] },
  EventTracker: { one: 'eventTracker', many: 'eventTrackers', arn: 'eventTrackerArn', parent: group, detail: [group, 'trackingId', 'accountId'] },
  // The real service spells this member with a capital, too.
  Filter: { one: 'filter', many: 'Filters', arn: 'filterArn', parent: group, detail: ['filterExpression'] },
  Dataset: { one: 'dataset', many: 'datasets', arn: 'datasetArn', parent: group, detail: [group, 'schemaArn'] },
  Schema: { one: 'schema', many: 'schemas', arn: 'schemaArn', detail: ['schema'] }
}

const Arn = Type.String({ maxLength: 256, pattern: '^arn:[a-z0-9-]+:personalize:.*:.*:.+$' })

const ListSchema = Type.Object({
  maxResults: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
  nextToken: Type.Optional(Type.String({ maxLength: 1500 })),
  datasetGroupArn: Type.Optional(Arn),
  solutionArn: Type.Optional(Arn)
})

/** Opens the control plane of Amazon Personalize: lists and descriptions of resources. */
export function personalize ({ worlds }: Scope): Service {
  const operations = Object.entries(kinds).flatMap(([name, kind]) => [
    [`List${name}s`, list(name as Kind, kind, () => worlds.resources)],
    [`Describe${name}`, describe(name as Kind, kind, () => worlds.resources)]
  ] as const)
  return {
    name: 'personalize',
    protocol: jsonRpc('personalize'),
    faults: { ...rpcFaults, 400: { code: 'InvalidInputException', status: 400 } },
    target: 'AmazonPersonalize',
    operations: Object.fromEntries(operations)
  }
}

function list (name: Kind, { many, arn, parent, detail = [] }: KindOperations, resources: () => Resources): Operation {
  return operation(ListSchema, input => {
    const { maxResults = 100, nextToken } = input
    const owner = parent && input[parent]
    if (owner !== undefined) checkExists(owner, resources())
    const all = resources()[name].filter(resource => owner === undefined || belongs(resource, owner))
    const from = nextToken === undefined ? 0 : all.findIndex(resource => nextToken === tokenOf(resource[arn] as string))
    if (from < 0) throw new Refusal('400', 'The nextToken is not valid.', { code: 'InvalidNextTokenException' })
    const next = all[from + maxResults]
    return {
      [many]: all.slice(from, from + maxResults).map(resource => without(resource, detail)),
      ...(next && { nextToken: tokenOf(next[arn] as string) })
    }
  })
}

function describe (name: Kind, { one, arn }: KindOperations, resources: () => Resources): Operation {
  return operation(Type.Object({ [arn]: Arn }), input => {
    const resource = resources()[name].find(resource => resource[arn] === input[arn])
    if (resource === undefined) throw missing(input[arn]!)
    return { [one]: resource }
  })
}

/** Returns the token of the page that begins at a resource. */
function tokenOf (arn: string): string {
  return Buffer.from(arn).toString('base64url')
}

function checkExists (arn: string, resources: Resources): void {
  if (!Object.values(resources).flat().some(resource => Object.values(resource).includes(arn))) throw missing(arn)
}

/** Returns whether a resource contains the owner's ARN, or one beneath it: a campaign contains the ARN of a version of its solution. */
function belongs (resource: Resource, owner: string): boolean {
  return Object.values(resource).some(value => value === owner || (typeof value === 'string' && value.startsWith(`${owner}/`)))
}

function without (resource: Resource, members: readonly string[]): Resource {
  return Object.fromEntries(Object.entries(resource).filter(([name]) => !members.includes(name)))
}

function missing (arn: string): Refusal {
  return new Refusal('404', `There is no ${arn}.`)
}
