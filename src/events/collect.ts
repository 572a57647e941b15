import type { UserVersions } from '../cache/user-versions.ts'
import { namespaceOf, type NamespacePlan, type Plan } from '../plan/plan.ts'
import { causeOf, isRetryable, told } from '../delivery/shortfall.ts'
import { GatewayError } from '../base/errors.ts'
import { ownerOf, type EventBody } from '../targets/body.ts'
import type { Dispatch, Shortfalls } from './dispatch.ts'
import type { EventsBody } from '../targets/event.ts'
import { readBody, type ReadBodyOptions } from './read-body.ts'

export interface CollectOptions extends ReadBodyOptions {
  dispatch: Dispatch
  userVersions: UserVersions
}

/** What became of the events at each target. */
export type Outcomes = Record<string, string>

/**
 * Takes the events of one request and hands them to every target of the namespace at once.
 * @returns the targets, all of which have every event
 * @throws GatewayError 400 for a bad body, 404, 409 where the namespace has no targets, 429 where a target takes no more for now, and
 *   503 (or 502, where trying again is no use) with the outcome of each target where one does not have them all
 */
export async function collectEvents (plan: Plan, namespaceName: string, body: EventsBody, options: CollectOptions): Promise<Outcomes> {
  const namespace = namespaceOf(plan, namespaceName)
  const read = readBody(body, namespace, options)
  if (read.events.length === 0) return {}
  const [shortfalls] = await deliverBodies(namespace, [read], options)
  const outcomes = outcomesOf(namespace, shortfalls!)
  if (shortfalls!.size > 0) throw notDelivered(read, shortfalls!, outcomes)
  return outcomes
}

/**
 * Brings bodies to the targets, and makes what was made for their users out of date.
 * @throws GatewayError 409 where the namespace has no targets, 429 where one takes no more for now
 */
export async function deliverBodies (namespace: NamespacePlan, bodies: readonly EventBody[], { dispatch, userVersions }: Pick<CollectOptions, 'dispatch' | 'userVersions'>): Promise<readonly Shortfalls[]> {
  if (namespace.eventTargets.size === 0) throw new GatewayError('NoEventTargets', `namespace: "${namespace.name}" has no event targets in the configuration`)
  const shortfalls = await dispatch(namespace, bodies)
  // Some target may have them even where another failed.
  await Promise.all([...new Set(bodies.map(ownerOf))].map(async userId => userVersions.raise({ namespace: namespace.name, userId })))
  return shortfalls
}

export function outcomesOf ({ eventTargets }: NamespacePlan, shortfalls: Shortfalls): Outcomes {
  return Object.fromEntries([...eventTargets].map(([name, { accepted }]) => [name, told(shortfalls.get(name), accepted)]))
}

/** Which events each target does not have. */
function missingOf (shortfalls: Shortfalls): Record<string, readonly string[]> {
  return Object.fromEntries([...shortfalls].map(([name, { eventIds }]) => [name, eventIds]))
}

/** What is said of the conversions of a body, where it has any. */
export function conversionsOf ({ conversions }: Pick<EventBody, 'conversions'>): { conversions?: string } {
  return conversions.length === 0 ? {} : { conversions: 'not recorded: this build runs no experiments' }
}

export function notDelivered ({ events }: EventBody, shortfalls: Shortfalls, outcomes: Outcomes): GatewayError {
  const details = { targets: outcomes, missing: missingOf(shortfalls), eventIds: events.map(({ eventId }) => eventId) }
  const cause = causeOf(shortfalls)
  if (!isRetryable(shortfalls)) return new GatewayError('EventsRefused', 'an event target does not take all of the events', { cause, details })
  return new GatewayError('EventsNotDelivered', 'not every event target has the events; send them again with the same event ids', { cause, details, retryAfter: 1 })
}
