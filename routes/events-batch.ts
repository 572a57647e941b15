import Type from 'typebox'
import { takerOf } from '../src/events/collect.ts'
import { collectBatch, mostBatchEvents } from '../src/events/collect-batch.ts'
import { EventsBodySchema, eventsShape, exampleBody, RefusedConversionsSchema } from '../src/targets/event.ts'
import { GatewayError } from '../src/base/errors.ts'
import { readJsonLines } from '../src/base/read-json-body.ts'
import { RecommenderParamsSchema } from '../src/inference/parameters.ts'
import { answers, sealAnswer, type App } from './route.ts'

const mostBodies = 500
const lineTypes = ['application/x-ndjson', 'application/ndjson', 'application/jsonl']

const ResultsSchema = Type.Object({
  results: Type.Array(Type.Object({
    status: Type.Integer({ description: 'What the body would have been answered with by itself.' }),
    targets: Type.Optional(Type.Record(Type.String(), Type.String(), { description: 'What became of its events at each target.' })),
    conversions: Type.Optional(Type.String({ description: 'What became of its conversions.' })),
    refusedConversions: Type.Optional(RefusedConversionsSchema),
    code: Type.Optional(Type.String()),
    message: Type.Optional(Type.String()),
    missing: Type.Optional(Type.Record(Type.String(), Type.Array(Type.String()), { description: 'The ids of the events that a target does not have.' })),
    eventIds: Type.Optional(Type.Array(Type.String(), { description: 'Where not all have arrived: the ids to send the events again with.' }))
  }), { description: 'What became of each body, in their order.' })
}, { examples: [{ results: [{ status: 200, targets: { embedded: 'delivered' } }, { status: 400, code: 'InvalidBody', message: 'body/eventList: expected a list of 1 to 500 items' }] }] })

export default async function eventsBatch (app: App): Promise<void> {
  const checkBody = app.bodyChecker(EventsBodySchema)

  app.addContentTypeParser('text/plain', app.parseJson)
  app.addContentTypeParser(lineTypes, app.bodyParser(async (bytes, { most, deepest = 32 }, turn) => readJsonLines(bytes, { ...eventsShape(1), most, deepest }, turn, mostBodies)))

  app.post('/events/:namespace/batch', {
    bodyLimit: 4 * app.initialConfig.bodyLimit!,
    // Records carry the query.
    config: { access: 'write', priority: 'bulk', anonymous: true, keepsQuery: true, json: { ...eventsShape(2), apart: true } },
    onRequest ({ params }, _reply, done) {
      takerOf(app.config.plan, params.namespace)
      done()
    },
    schema: {
      operationId: 'putEventsBatch',
      summary: 'Events of many users',
      description: `Up to ${mostBodies} bodies as \`/events/{namespace}\` takes them, with up to ${mostBatchEvents} events in all: a JSON array, or a body on each line (\`application/x-ndjson\`). ` +
        'The answer is 200 where each body was delivered, else 207: then `results` tells what became of each. The bodies of one user go to each target in their order.',
      consumes: ['application/json', ...lineTypes.slice(0, 1), 'text/plain'],
      params: Type.Pick(RecommenderParamsSchema, ['namespace']),
      body: { ...Type.Array(Type.Unknown(), { minItems: 1, maxItems: mostBodies }), examples: [[exampleBody]] },
      response: { ...answers(ResultsSchema), 207: ResultsSchema }
    }
  }, async (request, reply) => {
    const { params, body } = request
    const { plan } = app.config
    const results = await collectBatch(plan, params.namespace, body, { ...app.collecting(request), check })
    sealAnswer(reply, plan)
    if (results.some(({ status }) => status !== 200)) reply.code(207)
    return { results }
  })

  function check (body: unknown) {
    // The error of a body that could not be read stands in its place.
    if (body instanceof GatewayError) throw body
    return checkBody(body)
  }
}
