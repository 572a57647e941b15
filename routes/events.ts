import Type from 'typebox'
import { collectEvents, takerOf } from '../src/events/collect.ts'
import { EventsBodySchema, eventsShape, exampleBody, RefusedConversionsSchema } from '../src/targets/event.ts'
import { RecommenderParamsSchema } from '../src/inference/parameters.ts'
import { answers, sealAnswer, type App } from './route.ts'

const OutcomesSchema = Type.Object({
  targets: Type.Record(Type.String(), Type.String(), { description: 'What became of the events at each target.' }),
  conversions: Type.Optional(Type.String({ description: 'What became of the conversions.' })),
  refusedConversions: Type.Optional(RefusedConversionsSchema)
}, { examples: [{ targets: { embedded: 'delivered' } }] })

export default async function events (app: App): Promise<void> {
  app.addContentTypeParser('text/plain', app.parseJson)

  app.post('/events/:namespace', {
    // Records carry the query.
    config: { access: 'write', anonymous: true, keepsQuery: true, json: eventsShape(1) },
    onRequest ({ params }, _reply, done) {
      takerOf(app.config.plan, params.namespace)
      done()
    },
    schema: {
      operationId: 'putEvents',
      summary: 'Events of a user, and conversions of experiments',
      description: 'The body is JSON, also as `text/plain`, which `navigator.sendBeacon` of browsers sends. 200 means that every event target of the namespace has every event. With `delivery: queued` on a target, Redis has them for it. 207 means that the same is true, but some conversions were refused. An event that its user (or, without a user, its session) sends again with the same `eventId` counts once: for ten minutes, targets that have it do not get it again.',
      consumes: ['application/json', 'text/plain'],
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
