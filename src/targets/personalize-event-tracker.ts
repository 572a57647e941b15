import type { Event } from '@aws-sdk/client-personalize-events'
import Type from 'typebox'
import { awsClient } from '../connections/aws.ts'
import { datasetArns } from './personalize-datasets.ts'
import { awsFailureOf } from '../delivery/aws-refusals.ts'
import { strict } from '../base/schema.ts'
import { openBatched } from './batched.ts'
import { ownerOf } from './body.ts'
import type { UserEvent } from './event.ts'
import { eventTargetType } from './target.ts'
import { deliverySchema } from './delivery.ts'

/** The limits of one call; an event has at most 10 KB. https://docs.aws.amazon.com/personalize/latest/dg/limits.html */
const limits = { parcels: 10, bytes: 100 * 1024, calls: 64 }

/** An event tracker of Amazon Personalize: ten events a call, all of one user and session. */
export const personalizeEventTracker = eventTargetType({
  type: 'personalize-event-tracker',
  needsRegion: () => true,
  schema: strict({ type: Type.Literal('personalize-event-tracker'), trackingId: Type.String({ pattern: '^[a-zA-Z0-9-]{1,256}$' }), delivery: deliverySchema, ...datasetArns }),
  async open (config, scope) {
    const { PersonalizeEventsClient, PutEventsCommand } = await import('@aws-sdk/client-personalize-events')
    const client = await awsClient(scope, PersonalizeEventsClient)
    return openBatched(scope, config, {
      limits,
      atomic: true,
      takesImpressions: true,
      groupOf: ({ userId, sessionId }: UserEvent) => JSON.stringify([userId, sessionId]),
      split: body => body.events.map(event => ({ value: event, owner: ownerOf(body), size: sizeOf(event), eventIds: [event.eventId] })),
      async send (events, abortSignal) {
        const { userId, sessionId } = events[0]!
        await client.send(new PutEventsCommand({
          trackingId: config.trackingId,
          userId,
          // Personalize requires a session. Events without one get the user's id as their session.
          sessionId: sessionId ?? userId,
          eventList: events.map(eventOf)
        }), { abortSignal })
        return events.map(() => undefined)
      },
      failureOf: awsFailureOf
    })
  }
})

function eventOf ({ idGiven, timeGiven, more, userId, sessionId, sentAt, ...event }: UserEvent): Event {
  return { ...event, sentAt: new Date(sentAt) }
}

/** Returns the approximate size of an event in bytes, which is enough to bound the size of calls. */
function sizeOf ({ properties = '', itemId = '', impression = [] }: UserEvent): number {
  return 200 + properties.length + itemId.length + impression.reduce((sum, id) => sum + id.length + 3, 0)
}
