import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyBaseLogger, FastifyInstance, RawReplyDefaultExpression, RawRequestDefaultExpression, RawServerDefault } from 'fastify'
import Type, { type TSchema } from 'typebox'

/** The application as routes see it: what a schema says, TypeScript knows. */
export type App = FastifyInstance<RawServerDefault, RawRequestDefaultExpression, RawReplyDefaultExpression, FastifyBaseLogger, TypeBoxTypeProvider>

/** The responses of a route: its answer, or an error of the contract. */
export function answers (schema: TSchema): Record<string, TSchema> {
  const error = Type.Ref('Error')
  return { 200: schema, '4xx': error, '5xx': error }
}

/** The responses of a route whose answers can be kept and asked for again. */
export function cacheableAnswers (schema: TSchema): Record<string, TSchema> {
  return { ...answers(schema), 304: Type.Null({ description: 'The answer is the one whose `ETag` the caller has named in `If-None-Match`.' }) }
}
