import Type, { type Static } from 'typebox'
import type { JsonShape } from '../base/json-reader.ts'
import { latestTime } from '../base/time.ts'
import { BodyIdSchema, FeatureSchema, NameSchema, closed } from '../base/schema.ts'

/** Epoch seconds (milliseconds where the number is too large for seconds), or an ISO 8601 time. */
const TimeSchema = Type.Union([Type.Number({ minimum: 0, maximum: latestTime }), Type.String({ minLength: 4, maxLength: 40 })])

/** One event, in the form of PutEvents of Amazon Personalize. Further members are for targets that take whole bodies. */
export const EventSchema = Type.Object({
  eventId: Type.Optional(BodyIdSchema),
  eventType: Type.String({ minLength: 1, maxLength: 256, examples: ['view'] }),
  eventValue: Type.Optional(Type.Number()),
  itemId: Type.Optional(BodyIdSchema),
  properties: Type.Optional(Type.Union([
    Type.String({ maxLength: 1024 }),
    Type.Record(Type.String(), Type.Unknown())
  ], { description: 'A JSON object, or the text of one.' })),
  recommendationId: Type.Optional(Type.String({ minLength: 1, maxLength: 40 })),
  impression: Type.Optional(Type.Array(BodyIdSchema, { minItems: 1, maxItems: 25 })),
  metricAttribution: Type.Optional(closed({ eventAttributionSource: Type.String({ minLength: 1, maxLength: 1024 }) })),
  sentAt: Type.Optional(TimeSchema)
})

/** Values of metrics beyond this are mistakes: the squares of their sums would be beyond the numbers that are exact. */
export const largestValue = 1e12

export const ConversionSchema = Type.Object({
  recommender: NameSchema,
  feature: Type.Optional(FeatureSchema),
  metric: Type.Optional(Type.String({ minLength: 1, maxLength: 128, description: 'May be left out where the experiment has one.' })),
  value: Type.Optional(Type.Number({ minimum: -largestValue, maximum: largestValue })),
  eventId: Type.Optional(BodyIdSchema)
})

/** The body of `POST /events/{namespace}`. Further members are for targets that take whole bodies. */
export const EventsBodySchema = Type.Object({
  userId: Type.Optional(BodyIdSchema),
  sessionId: Type.Optional(BodyIdSchema),
  trackingId: Type.Optional(Type.Unknown({ description: 'Is dropped: the configuration names the tracker.' })),
  eventList: Type.Optional(Type.Array(EventSchema, { maxItems: 500 })),
  experimentConversions: Type.Optional(Type.Array(
    Type.Union([ConversionSchema, Type.Unknown({ description: 'A conversion of another form is refused by itself.' })]),
    { maxItems: 500 }
  ))
})

/** Returns how a body is read: properties keep their numbers as they are written. @param depth that of the body within the request */
export function eventsShape (depth: 1 | 2): Pick<JsonShape, 'text'> {
  return { text: { key: 'properties', depth: depth + 2, longest: 1024 } }
}

/** The conversions of a body that were refused, while the rest of the body was accepted. */
export const RefusedConversionsSchema = Type.Array(Type.Object({
  index: Type.Integer({ description: 'Its position in `experimentConversions`.' }),
  message: Type.String()
}), { description: 'The conversions that were refused. The events beside them were not.' })

/** An example body for the OpenAPI document. */
export const exampleBody = { userId: 'user-1', sessionId: 'session-1', eventList: [{ eventType: 'click', itemId: 'item-42' }] }

export type EventsBody = Static<typeof EventsBodySchema>
export type RefusedConversion = Static<typeof RefusedConversionsSchema>[number]
export type Conversion = Static<typeof ConversionSchema>

/** An event with its defaults applied, as every target gets it. */
export interface UserEvent {
  eventId: string
  /** Whether the caller gave the id, and so may send the event again. */
  idGiven: boolean
  userId?: string | undefined
  sessionId?: string | undefined
  eventType: string
  itemId?: string | undefined
  /** Epoch milliseconds. */
  sentAt: number
  /** Whether the caller gave the time; absent in events that an earlier version has queued. */
  timeGiven?: boolean
  eventValue?: number | undefined
  /** JSON text. */
  properties?: string | undefined
  recommendationId?: string | undefined
  impression?: string[] | undefined
  metricAttribution?: { eventAttributionSource: string } | undefined
  /** Further members that the caller gave, for records. */
  more?: Readonly<Record<string, unknown>>
}
