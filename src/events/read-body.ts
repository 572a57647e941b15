import type { NamespacePlan } from '../plan/plan.ts'
import { addProperties, deriveProperties } from '../context/properties.ts'
import type { Surroundings } from '../context/surroundings.ts'
import { forbidden, type Principal } from '../security/access.ts'
import { GatewayError } from '../base/errors.ts'
import { jsonObjectText } from '../base/json-object.ts'
import { parseTime, timeForms } from '../base/time.ts'
import type { Bringer, EventBody } from '../targets/body.ts'
import { EventSchema, type EventsBody, type RefusedConversion, type UserEvent } from '../targets/event.ts'
import { readConversions } from './read-conversions.ts'

export interface ReadBodyOptions {
  /** Epoch milliseconds. */
  now: () => number
  newId: () => string
  surroundings: Surroundings
  broughtBy: Bringer
  /** The caller, whose events they are if it may act for one user only. */
  principal: Principal
}

/** The longest properties that Amazon Personalize takes, in characters of JSON. */
const longestProperties = 1024

/** A body, and its conversions that were refused. */
export interface ReadBody {
  readonly body: EventBody
  readonly refused: RefusedConversion[]
}

/**
 * Returns a body with its defaults, as every target gets it. It validates the body beyond its schema. A wrong conversion is left out, if
 * there is something beside it.
 * @throws GatewayError 400 that names the bad part; 403 if the caller may not act for the user
 */
export function readBody (given: EventsBody, namespace: NamespacePlan, options: ReadBodyOptions): ReadBody {
  // The target names its own tracker.
  const { userId, sessionId, eventList = [], experimentConversions = [], trackingId, ...more } = given
  if (eventList.length === 0 && experimentConversions.length === 0) throw new GatewayError('InvalidBody', emptyMessage(given))
  if (userId === undefined && (sessionId === undefined || eventList.length === 0)) {
    throw new GatewayError('InvalidBody', `body/userId: is missing; expected a string of 1 to 256 characters${experimentConversions.length > 0 ? '' : ', or a sessionId'}`)
  }
  if (!mayBringEvents(options.principal, given)) throw forbidden()
  const { conversions, refused } = readConversions(namespace, experimentConversions, userId)
  if (eventList.length === 0 && conversions.length === 0) throw new GatewayError('InvalidBody', refused[0]!.message)
  const derived = deriveProperties(namespace.autoContext, options.surroundings)
  const now = options.now()
  const events = eventList.map((event, i): UserEvent => {
    const { own: { eventId, properties, sentAt, ...own }, more } = apart(event)
    const time = readTime(sentAt, `body/eventList/${i}/sentAt`)
    return {
      ...own,
      userId,
      sessionId,
      eventId: eventId ?? options.newId(),
      idGiven: eventId !== undefined,
      sentAt: time === undefined || time > now ? now : time,
      timeGiven: time !== undefined && time <= now,
      properties: addProperties(readProperties(properties, `body/eventList/${i}/properties`), derived, longestProperties),
      ...(more === undefined ? {} : { more })
    }
  })
  const body = { namespace: namespace.name, userId, sessionId, events, conversions, broughtBy: options.broughtBy, ...(Object.keys(more).length === 0 ? {} : { more }) }
  return { body, refused }
}

/**
 * Returns whether a caller may send a body. A caller of one user may not send events of a session alone: recommenders take the id of a
 * session without a user for the id of its user. Nor may an event name another user, in a member that goes along to the targets.
 */
function mayBringEvents ({ user }: Principal, { userId, eventList = [] }: EventsBody): boolean {
  if (user === undefined) return true
  return userId === user && eventList.every(event => !('userId' in event) || event.userId === user)
}

function emptyMessage ({ eventList, experimentConversions }: EventsBody): string {
  if (eventList === undefined && experimentConversions === undefined) return 'body: expected eventList, experimentConversions or both'
  return `body/${eventList === undefined ? 'experimentConversions' : 'eventList'}: expected a list of 1 to 500 items`
}

type GivenEvent = NonNullable<EventsBody['eventList']>[number]

/** Separates the members that the gateway knows from further ones. */
function apart (event: GivenEvent): { own: GivenEvent, more: Record<string, unknown> | undefined } {
  if (Object.keys(event).every(isKnown)) return { own: event, more: undefined }
  const [own, further] = [true, false].map(known => Object.fromEntries(Object.entries(event).filter(([name]) => isKnown(name) === known)))
  return { own: own as GivenEvent, more: further }
}

function isKnown (name: string): boolean {
  return Object.hasOwn(EventSchema.properties, name)
}

function readTime (time: string | number | undefined, name: string): number | undefined {
  if (time === undefined) return undefined
  const parsed = parseTime(time)
  if (parsed === undefined) throw new GatewayError('InvalidBody', `${name}: ${timeForms}`)
  return parsed
}

function readProperties (properties: string | object | undefined, name: string): string | undefined {
  return properties === undefined || properties === '' ? undefined : jsonObjectText(properties, longestProperties, name)
}
