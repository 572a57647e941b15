import Type, { type Static } from 'typebox'
import { latestTime } from '../base/time.ts'
import { closed, FeatureSchema, IdSchema, NameSchema } from '../base/schema.ts'

/** Epoch seconds (milliseconds where the number is too large for seconds), or an ISO 8601 time. */
const TimeSchema = Type.Union([Type.Number({ minimum: 0, maximum: latestTime }), Type.String({ minLength: 4, maxLength: 40 })])

/** One event, in the form of PutEvents of Amazon Personalize. */
export const EventSchema = closed({
  eventId: Type.Optional(IdSchema),
  eventType: Type.String({ minLength: 1, maxLength: 256, examples: ['view'] }),
  eventValue: Type.Optional(Type.Number()),
  itemId: Type.Optional(IdSchema),
  properties: Type.Optional(Type.Union([
    Type.String({ maxLength: 1024 }),
    Type.Record(Type.String(), Type.Unknown())
  ], { description: 'A JSON object, or the text of one.' })),
  recommendationId: Type.Optional(Type.String({ minLength: 1, maxLength: 40 })),
  impression: Type.Optional(Type.Array(IdSchema, { minItems: 1, maxItems: 25 })),
  metricAttribution: Type.Optional(closed({ eventAttributionSource: Type.String({ minLength: 1, maxLength: 1024 }) })),
  sentAt: Type.Optional(TimeSchema)
})

export const ConversionSchema = closed({
  recommender: NameSchema,
  feature: Type.Optional(FeatureSchema),
  metric: Type.String({ minLength: 1, maxLength: 128 }),
  value: Type.Optional(Type.Number())
})

/** The body of `POST /events/{namespace}`. */
export const EventsBodySchema = closed({
  userId: Type.Optional(IdSchema),
  sessionId: Type.Optional(IdSchema),
  eventList: Type.Optional(Type.Array(EventSchema, { minItems: 1, maxItems: 500 })),
  experimentConversions: Type.Optional(Type.Array(ConversionSchema, { minItems: 1, maxItems: 500 }))
})

/** An example body for the OpenAPI document. */
export const exampleBody = { userId: 'user-1', sessionId: 'session-1', eventList: [{ eventType: 'click', itemId: 'item-42' }] }

export type EventsBody = Static<typeof EventsBodySchema>
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
  eventValue?: number | undefined
  /** JSON text. */
  properties?: string | undefined
  recommendationId?: string | undefined
  impression?: string[] | undefined
  metricAttribution?: { eventAttributionSource: string } | undefined
}
