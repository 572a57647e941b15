import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest, FastifySchema, RawReplyDefaultExpression, RawRequestDefaultExpression, RawServerDefault, RouteGenericInterface } from 'fastify'
import Type, { type TSchema } from 'typebox'
import type { Plan } from '../src/plan/plan.ts'
import { surroundingsOf } from '../src/context/surroundings.ts'
import { requireUser } from '../src/security/access.ts'
import { explainRequest } from '../src/inference/explain.ts'
import type { InferenceRequest } from '../src/inference/request.ts'

/** The type of the application for routes: the types of requests and answers follow from the schemas. */
export type App = FastifyInstance<RawServerDefault, RawRequestDefaultExpression, RawReplyDefaultExpression, FastifyBaseLogger, TypeBoxTypeProvider>

/** Returns the response schemas of a route: its answer, or an error of the contract. */
export function answers (schema: TSchema): Record<string, TSchema> {
  const error = Type.Ref('Error')
  return { 200: schema, '4xx': error, '5xx': error }
}

/** Returns the response schemas of a route whose answers can be cached and revalidated. */
export function cacheableAnswers (schema: TSchema): Record<string, TSchema> {
  return { ...answers(schema), 304: Type.Null({ description: 'The answer is the one whose `ETag` the caller has named in `If-None-Match`.' }) }
}

/** Adds the version of the configuration to an answer, and forbids caches to store it. */
export function sealAnswer (reply: FastifyReply, { version }: Plan): void {
  if (version !== undefined) reply.header('x-personalization-config-version', version)
  reply.header('cache-control', 'no-store')
}

type RequestOf<S extends FastifySchema> = FastifyRequest<RouteGenericInterface, RawServerDefault, RawRequestDefaultExpression, S, TypeBoxTypeProvider>

/**
 * Registers a route that answers inference requests, and its counterpart under /explain that explains how they are resolved.
 * @param read returns the inference request for a validated HTTP request
 */
export function inferenceRoute<S extends FastifySchema & { operationId: string }> (app: App, url: string, schema: S, read: (request: RequestOf<S>) => InferenceRequest): void {
  // Only `read` needs the types of the schema.
  const routes = app as unknown as FastifyInstance
  const answered: FastifySchema = schema
  routes.get(url, { config: { access: 'read', beginsWork: true }, schema: answered }, (request, reply) => reply.infer(read(request as unknown as RequestOf<S>)))
  const explaining: FastifySchema = {
    ...schema,
    operationId: `explain${schema.operationId[0]!.toUpperCase()}${schema.operationId.slice(1)}`,
    summary: 'How such a request is understood',
    description: 'Context, filter, variation and cache key, and the rules that they come from. No provider is asked. Needs a key or a token with the scope `admin`.',
    tags: ['operations'],
    response: answers(Type.Ref('Explanation'))
  }
  routes.get(`/explain${url}`, { config: { access: 'admin' }, schema: explaining }, async (request, reply) => {
    reply.header('cache-control', 'no-store')
    const explained = read(request as unknown as RequestOf<S>)
    if (explained.userId !== undefined) requireUser(request.principal, explained.userId)
    return explainRequest(app.config.plan, explained, request.headers, surroundingsOf(request.headers, app.clock), app.resources.now())
  })
}
