import type { UserVersions } from '../cache/user-versions.ts'
import { namespaceOf, type NamespacePlan, type Plan } from '../plan/plan.ts'
import { causeOf, isRetryable, told } from '../delivery/shortfall.ts'
import { GatewayError } from '../base/errors.ts'
import type { EventBody } from '../targets/body.ts'
import type { Dispatch, Shortfalls } from './dispatch.ts'
import type { EventsBody } from '../targets/event.ts'
import { readBody, type ReadBodyOptions } from './read-body.ts'

export interface CollectOptions extends ReadBodyOptions {
  dispatch: Dispatch
  userVersions: UserVersions
}

/** The outcome of the events, by the name of the target. */
export type Outcomes = Record<string, string>

/**
 * Reads the events of one request and delivers them to every target of the namespace at once.
 * @returns the outcome for each target; every target has every event
 * @throws GatewayError 400 for a bad body, 404, 409 if the namespace has no targets, 429 if the queue of a target is full, and 503 (or
 *   502, if a retry cannot succeed) with the outcome for each target if a target does not have every event
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
 * Delivers bodies to the targets. After that, cached answers for their users and sessions are out of date.
 * @returns the outcome of each body
 * @throws GatewayError 409 if the namespace has no targets, 429 if the queue of a target is full
 */
export async function deliverBodies (namespace: NamespacePlan, bodies: readonly EventBody[], { dispatch, userVersions }: Pick<CollectOptions, 'dispatch' | 'userVersions'>): Promise<readonly Shortfalls[]> {
  if (namespace.eventTargets.size === 0) throw new GatewayError('NoEventTargets', `namespace: "${namespace.name}" has no event targets in the configuration`)
  const shortfalls = await dispatch(namespace, bodies)
  // Even if one target failed, another one may have the events.
  // A recommender may know what was done in a session as the session's or as its user's, so that answers for both are out of date.
  const concerned = new Set(bodies.flatMap(({ userId, sessionId }) => [userId, sessionId]).filter(id => id !== undefined))
  await Promise.all([...concerned].map(async userId => userVersions.raise({ namespace: namespace.name, userId })))
  return shortfalls
}

export function outcomesOf ({ eventTargets }: NamespacePlan, shortfalls: Shortfalls): Outcomes {
  return Object.fromEntries([...eventTargets].map(([name, { accepted }]) => [name, told(shortfalls.get(name), accepted)]))
}

/** Returns the ids of the events that each target does not have. */
function missingOf (shortfalls: Shortfalls): Record<string, readonly string[]> {
  return Object.fromEntries([...shortfalls].map(([name, { eventIds }]) => [name, eventIds]))
}

/** Returns the outcome of a body's conversions for the answer; nothing if it has none. */
export function conversionsOf ({ conversions }: Pick<EventBody, 'conversions'>): { conversions?: string } {
  return conversions.length === 0 ? {} : { conversions: 'not recorded: this build runs no experiments' }
}

export function notDelivered ({ events }: EventBody, shortfalls: Shortfalls, outcomes: Outcomes): GatewayError {
  const details = { targets: outcomes, missing: missingOf(shortfalls), eventIds: events.map(({ eventId }) => eventId) }
  const cause = causeOf(shortfalls)
  if (!isRetryable(shortfalls)) return new GatewayError('EventsRefused', 'an event target does not take all of the events', { cause, details })
  return new GatewayError('EventsNotDelivered', 'not every event target has the events; send them again with the same event ids', { cause, details, retryAfter: 1 })
}
