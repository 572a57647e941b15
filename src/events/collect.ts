import type { UserVersions } from '../cache/user-versions.ts'
import { namespaceOf, type NamespacePlan, type Plan } from '../plan/plan.ts'
import { causeOf, isRetryable, told } from '../delivery/shortfall.ts'
import { GatewayError } from '../base/errors.ts'
import type { EventBody } from '../targets/body.ts'
import type { Credited, Creditor } from './credit.ts'
import type { Dispatch, Outcome, Shortfalls } from './dispatch.ts'
import type { EventsBody } from '../targets/event.ts'
import { isFor } from '../targets/target.ts'
import { readBody, type ReadBody, type ReadBodyOptions } from './read-body.ts'

export interface CollectOptions extends ReadBodyOptions {
  dispatch: Dispatch
  userVersions: UserVersions
  /** Credits events and conversions to experiments; absent: this process counts for none. */
  credit?: Creditor | undefined
}

/** The outcome of the events, by the name of the target. */
export type Outcomes = Record<string, string>

/** Returns the plan of a namespace that takes events. @throws GatewayError 404, and 409 if the namespace has no targets */
export function takerOf (plan: Plan, name: string): NamespacePlan {
  const namespace = namespaceOf(plan, name)
  if (namespace.eventTargets.size === 0) throw new GatewayError('NoEventTargets', `namespace: "${name}" has no event targets in the configuration`)
  return namespace
}

/** The answer for a body that every target has. */
export interface Collected {
  targets: Outcomes
  /** The outcome of its conversions. */
  conversions?: string
  /** The conversions that were refused; the rest of the body was accepted. */
  refusedConversions?: ReadBody['refused']
}

/**
 * Reads the events of one request and delivers them to every target of the namespace at once.
 * @returns the outcome for each target; every target has every event
 * @throws GatewayError 400 for a bad body, 404, 409 if the namespace has no targets, 429 if the queue of a target is full, and 503 (or
 *   502, if a retry cannot succeed) with the outcome for each target if a target does not have every event
 */
export async function collectEvents (plan: Plan, namespaceName: string, body: EventsBody, options: CollectOptions): Promise<Collected> {
  const namespace = takerOf(plan, namespaceName)
  const read = readBody(body, namespace, options)
  if (!isForAny(namespace, read.body)) return collected(read, {}, await options.credit?.(namespace, read.body))
  const [outcome] = await deliverBodies(namespace, [read.body], options)
  if (outcome instanceof GatewayError) throw outcome
  // Events that a target lacks come again with the same ids, by which they are credited once.
  const credited = await options.credit?.(namespace, read.body)
  const targets = outcomesOf(namespace, read.body, outcome!)
  if (outcome!.size > 0) throw notDelivered(read.body, outcome!, targets)
  return collected(read, targets, credited)
}

/** Returns whether a body has to be delivered: it has events, or conversions for a target that takes whole bodies. */
export function isForAny ({ eventTargets }: NamespacePlan, body: EventBody): boolean {
  return body.events.length > 0 || [...eventTargets.values()].some(target => isFor(target, body))
}

export function collected ({ body: { conversions }, refused }: ReadBody, targets: Outcomes, credited: Credited | undefined): Collected {
  return {
    targets,
    ...(conversions.length === 0 || credited === undefined ? {} : { conversions: credited }),
    ...(refused.length === 0 ? {} : { refusedConversions: refused })
  }
}

/**
 * Delivers bodies to the targets. After that, cached answers for their users and sessions are out of date.
 * @returns the outcome of each body
 * @throws GatewayError 429 if the queue of a target is full
 */
export async function deliverBodies (namespace: NamespacePlan, bodies: readonly EventBody[], { dispatch, userVersions }: Pick<CollectOptions, 'dispatch' | 'userVersions'>): Promise<readonly Outcome[]> {
  const outcomes = await dispatch(namespace, bodies)
  // Even if one target failed, another one may have the events.
  // A recommender may know what was done in a session as the session's or as its user's, so that answers for both are out of date.
  const sent = bodies.filter(({ events }, i) => events.length > 0 && !(outcomes[i] instanceof GatewayError))
  const concerned = new Set(sent.flatMap(({ userId, sessionId }) => [userId, sessionId]).filter(id => id !== undefined))
  await Promise.all([...concerned].map(async userId => userVersions.raise({ namespace: namespace.name, userId })))
  return outcomes
}

export function outcomesOf ({ eventTargets }: NamespacePlan, body: EventBody, shortfalls: Shortfalls): Outcomes {
  return Object.fromEntries([...eventTargets].filter(([, target]) => isFor(target, body)).map(([name, { accepted }]) => [name, told(shortfalls.get(name), accepted)]))
}

/** Returns the ids of the events that each target does not have. */
function missingOf (shortfalls: Shortfalls): Record<string, readonly string[]> {
  return Object.fromEntries([...shortfalls].map(([name, { eventIds }]) => [name, eventIds]))
}

export function notDelivered ({ events }: EventBody, shortfalls: Shortfalls, outcomes: Outcomes): GatewayError {
  const details = { targets: outcomes, missing: missingOf(shortfalls), eventIds: events.map(({ eventId }) => eventId) }
  const cause = causeOf(shortfalls)
  if (!isRetryable(shortfalls)) return new GatewayError('EventsRefused', 'an event target does not take all of the events', { cause, details })
  return new GatewayError('EventsNotDelivered', 'not every event target has the events; send them again with the same event ids', { cause, details, retryAfter: 1 })
}
