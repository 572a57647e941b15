import Type from 'typebox'
import { personalizeArn } from '../arn.ts'
import { objectIn } from '../input.ts'
import { restFaults, restJson } from '../protocol.ts'
import { Refusal } from '../refusal.ts'
import type { Scope } from '../scope.ts'
import { operation, type Service } from '../service.ts'

const Id = Type.String({ minLength: 1, maxLength: 256 })

const EventSchema = Type.Object({
  eventType: Id,
  sentAt: Type.Number({ minimum: 0, description: 'epoch seconds' }),
  eventId: Type.Optional(Id),
  eventValue: Type.Optional(Type.Number()),
  itemId: Type.Optional(Id),
  properties: Type.Optional(Type.String({ minLength: 1, maxLength: 1024 })),
  recommendationId: Type.Optional(Type.String({ minLength: 1, maxLength: 40 })),
  impression: Type.Optional(Type.Array(Id, { minItems: 1, maxItems: 25 })),
  metricAttribution: Type.Optional(Type.Object({ eventAttributionSource: Type.String({ pattern: '^[ -~]{1,1024}$' }) }))
})

const PutEventsSchema = Type.Object({
  trackingId: Id,
  sessionId: Id,
  userId: Type.Optional(Id),
  eventList: Type.Array(EventSchema, { minItems: 1, maxItems: 10 })
})

const PutUsersSchema = Type.Object({
  datasetArn: personalizeArn('dataset'),
  users: Type.Array(Type.Object({ userId: Id, properties: Type.Optional(Type.String({ minLength: 1, maxLength: 24_000 })) }), { minItems: 1, maxItems: 10 })
})

const PutItemsSchema = Type.Object({
  datasetArn: personalizeArn('dataset'),
  items: Type.Array(Type.Object({ itemId: Id, properties: Type.Optional(Type.String({ minLength: 1, maxLength: 32_000 })) }), { minItems: 1, maxItems: 10 })
})

/** Keys that properties must not have, as events have members for them. */
const reserved = ['userId', 'sessionId', 'eventType', 'timestamp', 'recommendationId', 'impression']

/** Opens the events API of Amazon Personalize: events, users and items. The model learns from events at once. */
export function personalizeEvents ({ model, catalog }: Scope): Service {
  return {
    name: 'personalize-events',
    protocol: restJson(),
    faults: { ...restFaults, 400: { code: 'InvalidInputException', status: 400 } },
    operations: {
      'POST /events': operation(PutEventsSchema, ({ userId, sessionId, eventList }) => {
        for (const [i, { properties }] of eventList.entries()) checkProperties(properties, `eventList/${i}/properties`)
        for (const { itemId, eventType, sentAt } of eventList) {
          if (itemId !== undefined) model.learn({ userId, sessionId, itemId, eventType, sentAt: sentAt * 1000 })
        }
      }),

      'POST /users': operation(PutUsersSchema, ({ users }) => {
        for (const [i, { properties }] of users.entries()) checkProperties(properties, `users/${i}/properties`)
      }),

      'POST /items': operation(PutItemsSchema, ({ items }) => {
        const all = items.map(({ itemId, properties }, i) => ({ itemId, metadata: checkProperties(properties, `items/${i}/properties`) }))
        for (const { itemId, metadata } of all) catalog.put(itemId, metadata)
      })
    }
  }
}

function checkProperties (properties: string | undefined, name: string): Record<string, unknown> {
  if (properties === undefined) return {}
  const values = objectIn(properties, name)
  const wrong = Object.keys(values).find(key => reserved.includes(key))
  if (wrong !== undefined) throw new Refusal('400', `${name} must not have the key ${wrong}`)
  return values
}
