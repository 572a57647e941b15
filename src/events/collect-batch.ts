import type { NamespacePlan, Plan } from '../plan/plan.ts'
import { GatewayError } from '../base/errors.ts'
import { beginTurns } from '../base/turns.ts'
import { collected, deliverBodies, isForAny, notDelivered, outcomesOf, takerOf, type CollectOptions } from './collect.ts'
import type { Credited } from './credit.ts'
import type { Outcome } from './dispatch.ts'
import type { EventsBody } from '../targets/event.ts'
import { readBody, type ReadBody } from './read-body.ts'

/** The outcome of one body of a batch: the status and the members of the answer that the body would get by itself. */
export interface BodyResult {
  status: number
  [member: string]: unknown
}

/** The most events that the bodies of a batch may have together. */
export const mostBatchEvents = 5_000

export interface CollectBatchOptions extends CollectOptions {
  /** Validates the form of a body. @throws GatewayError 400 */
  check: (body: unknown) => EventsBody
}

/**
 * Delivers the bodies of one request, for many users, in their order. A bad body does not affect the others.
 * @param bodies the parsed bodies, not yet validated
 * @returns the outcome of each body
 * @throws GatewayError 400 for too many events, 404, 409, and 429 if the queue of a target is full: then nothing was sent anywhere
 */
export async function collectBatch (plan: Plan, namespaceName: string, bodies: readonly unknown[], options: CollectBatchOptions): Promise<BodyResult[]> {
  const namespace = takerOf(plan, namespaceName)
  const turn = beginTurns()
  const read: Array<ReadBody | GatewayError> = []
  for (const body of bodies) {
    if (turn.over) await turn.next()
    read.push(attempt(() => readBody(options.check(body), namespace, options)))
  }
  const good = read.filter((one): one is ReadBody => !(one instanceof GatewayError)).map(({ body }) => body).filter(body => isForAny(namespace, body))
  const count = good.reduce((sum, { events }) => sum + events.length, 0)
  if (count > mostBatchEvents) throw new GatewayError('InvalidBody', `body: has ${count} events; expected at most ${mostBatchEvents} in all`)
  const told = good.length === 0 ? [] : await deliverBodies(namespace, good, options)
  const outcomes = new Map(good.map((body, i) => [body, told[i]!]))
  const credited = await creditBodies(namespace, read.filter((one): one is ReadBody => !(one instanceof GatewayError) && !(outcomes.get(one.body) instanceof GatewayError)), options)
  return read.map(one => one instanceof GatewayError ? resultOfError(one) : resultOf(one, outcomes.get(one.body)))

  function resultOf (read: ReadBody, outcome: Outcome | undefined): BodyResult {
    if (outcome instanceof GatewayError) return resultOfError(outcome)
    const targets = outcome === undefined ? {} : outcomesOf(namespace, read.body, outcome)
    if (outcome !== undefined && outcome.size > 0) return resultOfError(notDelivered(read.body, outcome, targets))
    return { status: read.refused.length === 0 ? 200 : 207, ...collected(read, targets, credited.get(read)) }
  }
}

/** Credits bodies. Those of a user are noted in their order. */
async function creditBodies (namespace: NamespacePlan, bodies: readonly ReadBody[], { credit }: CollectOptions): Promise<ReadonlyMap<ReadBody, Credited>> {
  if (credit === undefined) return new Map()
  return new Map(await Promise.all(bodies.map(async read => [read, await credit(namespace, read.body)] as const)))
}

function resultOfError ({ status, code, message, details }: GatewayError): BodyResult {
  return { status, code, message, ...details }
}

function attempt (read: () => ReadBody): ReadBody | GatewayError {
  try {
    return read()
  } catch (error) {
    if (error instanceof GatewayError) return error
    throw error
  }
}
