import Type from 'typebox'
import { collectEvents } from '../src/events/collect.ts'
import { EventsBodySchema, exampleBody, RefusedConversionsSchema } from '../src/targets/event.ts'
import { RecommenderParamsSchema } from '../src/inference/parameters.ts'
import { answers, sealAnswer, type App } from './route.ts'

const OutcomesSchema = Type.Object({
  targets: Type.Record(Type.String(), Type.String(), { description: 'What became of the events at each target.' }),
  conversions: Type.Optional(Type.String({ description: 'What became of the conversions.' })),
  refusedConversions: Type.Optional(RefusedConversionsSchema)
}, { examples: [{ targets: { embedded: 'delivered' } }] })

export default async function events (app: App): Promise<void> {
  app.post('/events/:namespace', {
    schema: {
      operationId: 'putEvents',
      summary: 'Events of a user, and conversions of experiments',
      description: '200 means that every event target of the namespace has every event. With `delivery: queued` on a target, Redis has them for it. 207 means that the same is true, but some conversions were refused. An event sent again with the same `eventId` counts once: for ten minutes, targets that have it do not get it again.',
      params: Type.Pick(RecommenderParamsSchema, ['namespace']),
      body: { ...EventsBodySchema, examples: [exampleBody] },
      response: { ...answers(OutcomesSchema), 207: OutcomesSchema }
    }
  }, async (request, reply) => {
    const { params, body } = request
    const { plan } = app.config
    const collected = await collectEvents(plan, params.namespace, body, app.collecting(request))
    sealAnswer(reply, plan)
    if (collected.refusedConversions !== undefined) reply.code(207)
    return collected
  })
}
