import { randomUUID } from 'node:crypto'
import Type from 'typebox'
import { surroundingsOf } from '../src/context/surroundings.ts'
import { collectEvents } from '../src/events/collect.ts'
import { EventsBodySchema, exampleBody } from '../src/events/event.ts'
import { RecommenderParamsSchema } from '../src/inference/parameters.ts'
import { answers, type App } from './route.ts'

const OutcomesSchema = Type.Object({
  targets: Type.Record(Type.String(), Type.String(), { description: 'What became of the events at each target.' }),
  conversions: Type.Optional(Type.String({ description: 'What became of the conversions.' }))
}, { examples: [{ targets: { embedded: 'delivered' } }] })

export default async function events (app: App): Promise<void> {
  app.post('/events/:namespace', {
    schema: {
      operationId: 'putEvents',
      summary: 'Events of a user, and conversions of experiments',
      description: '200 means that every event target of the namespace has every event. An event sent again with the same `eventId` counts once.',
      params: Type.Pick(RecommenderParamsSchema, ['namespace']),
      body: { ...EventsBodySchema, examples: [exampleBody] },
      response: answers(OutcomesSchema)
    }
  }, async ({ params, body, headers }, reply) => {
    const { plan } = app.config
    const targets = await collectEvents(plan, params.namespace, body, { ...app.resources, newId: randomUUID, surroundings: surroundingsOf(headers, app.clock) })
    if (plan.version !== undefined) reply.header('x-personalization-config-version', plan.version)
    const conversions = body.experimentConversions && { conversions: 'not recorded: this build runs no experiments' }
    return reply.header('cache-control', 'no-store').send({ targets, ...conversions })
  })
}
