import { addProperties, deriveProperties } from '../context/properties.ts'
import type { UserVersions } from '../cache/user-versions.ts'
import type { Surroundings } from '../context/surroundings.ts'
import { recommenderKey, type NamespacePlan, type Plan } from '../config/plan.ts'
import { GatewayError } from '../errors.ts'
import { actions } from '../origins/origin.ts'
import type { EventsBody, UserEvent } from './event.ts'
import { parseTime } from '../time.ts'
import { DeliveryError } from './target.ts'

export interface CollectOptions {
  /** Epoch milliseconds. */
  now: () => number
  newId: () => string
  userVersions: UserVersions
  surroundings: Surroundings
}

/** What became of the events at each target. */
export type Outcomes = Record<string, string>

const delivered = 'delivered'
/** What Personalize takes, in characters of JSON. */
const longestProperties = 1024

/**
 * Takes the events of one request and hands them to every target of the namespace at once.
 * @returns the targets, all of which have every event
 * @throws GatewayError 400 for a bad body, 404, 409 where the namespace has no targets, and 503 with the outcome of each target
 *   where one does not have them all; then the same request can be sent again
 */
export async function collectEvents (plan: Plan, namespaceName: string, body: EventsBody, options: CollectOptions): Promise<Outcomes> {
  const namespace = plan.namespaces.get(namespaceName)
  if (namespace === undefined) throw new GatewayError('NamespaceNotFound', `namespace: "${namespaceName}" is not in the configuration`)
  checkConversions(namespace, body)
  const events = readEvents(body, namespace, options)
  if (events.length === 0) return {}
  if (namespace.eventTargets.size === 0) throw new GatewayError('NoEventTargets', `namespace: "${namespaceName}" has no event targets in the configuration`)

  const failures: unknown[] = []
  const outcomes = Object.fromEntries(await Promise.all([...namespace.eventTargets].map(async ([name, target]) => {
    try {
      await target.deliver(events)
      return [name, delivered]
    } catch (error) {
      failures.push(error)
      return [name, `failed: ${error instanceof DeliveryError ? error.message : 'something went wrong on our side'}`]
    }
  }))) as Outcomes
  // Some target may have them even where another failed.
  const userId = body.userId ?? body.sessionId
  if (userId !== undefined) await options.userVersions.raise({ namespace: namespaceName, userId })
  if (failures.length > 0) {
    throw new GatewayError('EventsNotDelivered', 'not every event target has the events; send them again with the same event ids', {
      cause: new AggregateError(failures),
      retryAfter: 1,
      details: { targets: outcomes, eventIds: events.map(({ eventId }) => eventId) }
    })
  }
  return outcomes
}

function readEvents ({ userId, sessionId, eventList, experimentConversions }: EventsBody, { autoContext }: NamespacePlan, { now, newId, surroundings }: CollectOptions): UserEvent[] {
  if (eventList === undefined && experimentConversions === undefined) {
    throw new GatewayError('InvalidBody', 'body: expected eventList, experimentConversions or both')
  }
  if (userId === undefined && (sessionId === undefined || experimentConversions !== undefined)) {
    throw new GatewayError('InvalidBody', `body/userId: is missing; expected a string of 1 to 256 characters${experimentConversions ? '' : ', or a sessionId'}`)
  }
  const derived = deriveProperties(autoContext, surroundings)
  return (eventList ?? []).map(({ sentAt, properties, eventId, ...event }, i) => ({
    ...event,
    userId,
    sessionId,
    eventId: eventId ?? newId(),
    sentAt: Math.min(readTime(sentAt, `body/eventList/${i}/sentAt`) ?? now(), now()),
    properties: addProperties(readProperties(properties, `body/eventList/${i}/properties`), derived, longestProperties)
  }))
}

function readTime (time: string | number | undefined, name: string): number | undefined {
  if (time === undefined) return undefined
  const parsed = parseTime(time)
  if (parsed === undefined) throw new GatewayError('InvalidBody', `${name}: expected epoch seconds or an ISO 8601 time`)
  return parsed
}

function readProperties (properties: string | object | undefined, name: string): string | undefined {
  if (properties === undefined || properties === '') return undefined
  const text = typeof properties === 'string' ? properties : stringify(properties)
  if (text.length > longestProperties) throw new GatewayError('InvalidBody', `${name}: expected at most ${longestProperties} characters of JSON`)
  if (!isJsonObject(text)) throw new GatewayError('InvalidBody', `${name}: expected a JSON object, or the text of one`)
  return text
}

/** The JSON text; what is nested too deeply to have one is too long anyway. */
function stringify (properties: object): string {
  try {
    return JSON.stringify(properties)
  } catch {
    return ' '.repeat(longestProperties + 1)
  }
}

function isJsonObject (text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}

function checkConversions ({ recommenders }: NamespacePlan, { experimentConversions = [] }: EventsBody): void {
  for (const [i, { recommender, feature }] of experimentConversions.entries()) {
    const found = actions.map(action => recommenders.get(recommenderKey(action, recommender))).filter(plan => plan !== undefined)
    if (found.length === 0) throw new GatewayError('InvalidBody', `body/experimentConversions/${i}/recommender: "${recommender}" is not in the configuration`)
    if (feature !== undefined && !found.some(({ features }) => features.includes(feature))) {
      throw new GatewayError('InvalidBody', `body/experimentConversions/${i}/feature: "${feature}" is not an experiment of "${recommender}"`)
    }
  }
}
