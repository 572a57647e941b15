import { recommenderKey, type NamespacePlan, type RecommenderPlan } from '../plan/plan.ts'
import { addProperties, deriveProperties } from '../context/properties.ts'
import type { Surroundings } from '../context/surroundings.ts'
import { GatewayError } from '../base/errors.ts'
import { jsonObjectText } from '../base/json-object.ts'
import { actions } from '../origins/origin.ts'
import { parseTime, timeForms } from '../base/time.ts'
import type { Bringer, EventBody } from '../targets/body.ts'
import type { EventsBody } from '../targets/event.ts'

export interface ReadBodyOptions {
  /** Epoch milliseconds. */
  now: () => number
  newId: () => string
  surroundings: Surroundings
  broughtBy: Bringer
}

/** The longest properties that Amazon Personalize takes, in characters of JSON. */
const longestProperties = 1024

/**
 * Returns a body with its defaults, as every target gets it. It validates the body beyond its schema.
 * @throws GatewayError 400 that names the bad part
 */
export function readBody (body: EventsBody, namespace: NamespacePlan, options: ReadBodyOptions): EventBody {
  const { userId, sessionId, eventList = [], experimentConversions } = body
  if (body.eventList === undefined && experimentConversions === undefined) {
    throw new GatewayError('InvalidBody', 'body: expected eventList, experimentConversions or both')
  }
  if (userId === undefined && (sessionId === undefined || experimentConversions !== undefined)) {
    throw new GatewayError('InvalidBody', `body/userId: is missing; expected a string of 1 to 256 characters${experimentConversions ? '' : ', or a sessionId'}`)
  }
  checkConversions(namespace, body)
  const derived = deriveProperties(namespace.autoContext, options.surroundings)
  const now = options.now()
  const events = eventList.map(({ sentAt, properties, eventId, ...event }, i) => ({
    ...event,
    userId,
    sessionId,
    eventId: eventId ?? options.newId(),
    idGiven: eventId !== undefined,
    sentAt: Math.min(readTime(sentAt, `body/eventList/${i}/sentAt`) ?? now, now),
    properties: addProperties(readProperties(properties, `body/eventList/${i}/properties`), derived, longestProperties)
  }))
  return { namespace: namespace.name, userId, sessionId, events, conversions: experimentConversions ?? [], broughtBy: options.broughtBy }
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

function checkConversions ({ recommenders }: NamespacePlan, { experimentConversions = [] }: EventsBody): void {
  for (const [i, { recommender, feature, metric }] of experimentConversions.entries()) {
    const at = `body/experimentConversions/${i}`
    const found = actions.map(action => recommenders.get(recommenderKey(action, recommender))).filter(plan => plan !== undefined)
    if (found.length === 0) throw new GatewayError('InvalidBody', `${at}/recommender: "${recommender}" is not in the configuration`)
    if (feature !== undefined && !found.some(({ features }) => features.includes(feature))) {
      throw new GatewayError('InvalidBody', `${at}/feature: "${feature}" is not an experiment of "${recommender}"`)
    }
    if (!found.some(plan => measures(plan, feature, metric))) throw new GatewayError('InvalidBody', `${at}/metric: "${metric}" is not a metric of ${feature === undefined ? 'an experiment' : `"${feature}"`} of "${recommender}"`)
  }
}

/** Returns whether an experiment of a recommender counts a metric: the named one, or any of them if `feature` is absent. */
function measures ({ features, metrics }: RecommenderPlan, feature: string | undefined, metric: string): boolean {
  const concerned = feature === undefined ? features : features.filter(name => name === feature)
  return (features.length === 0 && feature === undefined) || concerned.some(name => metrics.get(name)?.includes(metric) ?? true)
}
