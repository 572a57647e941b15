import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { GatewayError, type ErrorCode } from '../src/base/errors.ts'

declare module 'fastify' {
  interface FastifyReply {
    /** The code of the error that it tells; empty if it tells none. */
    errorCode: ErrorCode | ''
  }
}

const mebibyte = 1024 * 1024

/** The errors that Fastify itself throws, as codes and messages of the contract. */
const frameworkCodes: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  FST_ERR_CTP_EMPTY_JSON_BODY: ['InvalidBody', 'body: expected JSON, got nothing'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['InvalidBody', 'body: is not JSON, or holds a key that is not allowed in it'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['InvalidRequest', 'Content-Length: does not match the body'],
  FST_ERR_BAD_URL: ['InvalidUrl', 'the URL is not valid: a "%" does not begin an escape, or the escaped bytes are not UTF-8 text'],
  FST_ERR_MAX_PARAM_LENGTH: ['UrlTooLong', 'the URL is too long'],
  FST_ERR_ASYNC_CONSTRAINT: ['InvalidRequest', 'the request is not valid']
}

/** The refusals of files, by their status. */
const fileRefusals: Readonly<Record<number, readonly [ErrorCode, string]>> = {
  412: ['PreconditionFailed', 'If-Match or If-Unmodified-Since: the file has changed'],
  416: ['RangeNotSatisfiable', 'Range: begins beyond the end of the file']
}

/** Sends every error as the JSON of the contract. The details of an internal error go only to the log. */
export default fp(async app => {
  app.decorateReply('errorCode', '')
  app.setErrorHandler<FastifyError>((error, request, reply) => sendError(error, request, reply))
  app.setNotFoundHandler((request, reply) =>
    sendError(new GatewayError('RouteNotFound', `there is nothing at ${request.method} ${pathOf(request)}`), request, reply))
}, { name: 'errors' })

export function sendError (error: Error, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const known = toGatewayError(error, request)
  log(request, known)
  reply.errorCode = known.code
  // A file tells how long it is with a refusal of a range.
  const range = (error as { headers?: Record<string, string> }).headers?.['Content-Range']
  if (range !== undefined) reply.header('content-range', range)
  if (known.type === 'Auth') reply.header('www-authenticate', request.server.authentication.challenge(known, request.headers))
  if (known.retryAfter !== undefined) reply.header('retry-after', known.retryAfter)
  // RFC 9110 §15.5.16
  if (known.code === 'UnsupportedContentEncoding') reply.header('accept-encoding', 'gzip, identity')
  return reply
    .code(known.status)
    .header('cache-control', 'no-store')
    .type('application/json; charset=utf-8')
    .send(JSON.stringify({ type: known.type, code: known.code, message: known.message, ...known.details, requestId: request.id }))
}

/** Logs a server error, with its stack only if it is internal. For the many refusals under overload the access log is enough. */
function log ({ id: reqId, log }: FastifyRequest, error: GatewayError): void {
  if (error.code === 'InternalError') log.error({ reqId, err: error.cause ?? error, code: error.code }, error.message)
  else if (error.status >= 500 && error.type !== 'Overload') log.warn({ reqId, code: error.code, causes: causesOf(error) }, error.message)
}

/** Returns the causes of an error as text, the nearest first, five at most. */
function causesOf (error: Error): string[] {
  const causes: string[] = []
  for (let { cause } = error; cause !== undefined && causes.length < 5; { cause } = cause as { cause?: unknown }) {
    causes.push(textOf(cause))
    if (typeof cause !== 'object' || cause === null) break
  }
  return causes
}

/** Returns what was thrown as text; libraries throw objects that are no errors, too. */
function textOf (cause: unknown): string {
  if (cause instanceof AggregateError) return cause.errors.map(textOf).join('; ')
  if (typeof cause !== 'object' || cause === null) return String(cause)
  const { name, message, code } = cause as { name?: unknown, message?: unknown, code?: unknown }
  const texts = [name ?? code, message].filter(text => typeof text === 'string')
  return texts.length > 0 ? texts.join(': ') : 'an object without a message'
}

function toGatewayError (error: Error & { code?: string, statusCode?: number }, { routeOptions }: FastifyRequest): GatewayError {
  if (error instanceof GatewayError) return error
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') return new GatewayError('BodyTooLarge', `body: expected at most ${routeOptions.bodyLimit / mebibyte} MiB`, { cause: error })
  if (error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return new GatewayError('UnsupportedContentType', `Content-Type: expected ${(routeOptions.schema?.consumes ?? ['application/json']).join(' or ')}`, { cause: error })
  const framework = frameworkCodes[error.code ?? ''] ?? fileRefusals[error.statusCode ?? 0]
  if (framework !== undefined) return new GatewayError(...framework, { cause: error })
  if (error instanceof SyntaxError && error.statusCode === 400) return new GatewayError('InvalidBody', 'body: is not JSON, or holds a key that is not allowed in it', { cause: error })
  if (error.statusCode !== undefined && error.statusCode < 500) return new GatewayError('InvalidRequest', error.message, { cause: error })
  return new GatewayError('InternalError', 'something went wrong on our side', { cause: error })
}

function pathOf (request: FastifyRequest): string {
  return request.url.split('?', 1)[0]!.slice(0, 200)
}
