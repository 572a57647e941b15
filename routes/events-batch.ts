import type { FastifyRequest } from 'fastify'
import Type from 'typebox'
import { collectBatch, mostBatchEvents } from '../src/events/collect-batch.ts'
import { EventsBodySchema, exampleBody, RefusedConversionsSchema } from '../src/targets/event.ts'
import { GatewayError } from '../src/base/errors.ts'
import { RecommenderParamsSchema } from '../src/inference/parameters.ts'
import { answers, sealAnswer, type App } from './route.ts'

const mostBodies = 500
const mostBytes = 4 * 1024 * 1024
const lineTypes = ['application/x-ndjson', 'application/ndjson', 'application/jsonl']

/** The value of a line that is not JSON. */
const notJson = Symbol('not JSON')

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

  // The parser of JSON bodies parses each line, so that the same keys are refused.
  const readJson = app.getDefaultJsonParser('error', 'error') as (request: FastifyRequest, text: string, done: (error: Error | null, value?: unknown) => void) => void

  app.addContentTypeParser(lineTypes, { parseAs: 'string' }, (request, text, done) => {
    const lines = (text as string).split('\n').filter(line => line.trim() !== '')
    // One line more than allowed is enough for the schema to refuse the batch.
    done(null, lines.slice(0, mostBodies + 1).map(line => {
      let value: unknown
      readJson(request, line, (error, read) => { value = error === null ? read : notJson })
      return value
    }))
  })

  app.post('/events/:namespace/batch', {
    bodyLimit: mostBytes,
    schema: {
      operationId: 'putEventsBatch',
      summary: 'Events of many users',
      description: `Up to ${mostBodies} bodies as \`/events/{namespace}\` takes them, with up to ${mostBatchEvents} events in all: a JSON array, or a body on each line (\`application/x-ndjson\`). ` +
        'The answer is 200 where each body was delivered, else 207: then `results` tells what became of each. The bodies of one user go to each target in their order.',
      consumes: ['application/json', ...lineTypes.slice(0, 1)],
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
    if (body === notJson) throw new GatewayError('InvalidBody', 'body: is not JSON, or holds a key that is not allowed in it')
    return checkBody(body)
  }
}
