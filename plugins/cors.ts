import fastifyCors, { type FastifyCorsOptions } from '@fastify/cors'
import type { FastifyReply } from 'fastify'
import fp from 'fastify-plugin'
import type { AllowedOrigins, Admission } from '../src/base/allowed-origins.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Returns the headers of CORS for an answer that the gateway sends without the hooks of Fastify, to a request of an origin. */
    corsHeaders: (origin: string | undefined) => Record<string, string>
  }
}

/** The headers of answers that scripts of a page may read, besides those that browsers always show them. */
export const exposedHeaders = [
  'ETag', 'Retry-After', 'Server-Timing', 'Cache-Status', 'X-Request-Id', 'RateLimit', 'RateLimit-Policy', 'WWW-Authenticate',
  'X-Personalization-Config-Version', 'X-Personalization-Variation', 'X-Personalization-Degraded', 'X-Personalization-Undecorated',
  'X-Personalization-Ignored-Parameters'
]

/** The time for which browsers remember the answer to a preflight, in seconds. No browser keeps it for longer. */
const maxAge = 7200

const common = { exposedHeaders: exposedHeaders.join(', '), maxAge, methods: 'GET, HEAD, POST, DELETE' }

/** `true` repeats the origin of the request: browsers do not accept `*` from an answer to a request with credentials, such as a beacon. */
const optionsOf: Readonly<Record<Admission, FastifyCorsOptions>> = {
  named: { ...common, origin: true, credentials: true },
  any: { ...common, origin: '*' },
  none: { origin: false }
}

export interface CorsOptions {
  /** Absent: no page of another origin may call the gateway. */
  origins?: AllowedOrigins | undefined
}

/**
 * Adds the headers of CORS to every answer, before any plugin can refuse the request, and answers preflights. Without `origins` it does
 * nothing. Answers to requests that no hook sees get their headers from `app.corsHeaders`.
 */
export default fp<CorsOptions>(async (app, { origins }) => {
  app.decorate('corsHeaders', origin => headersFor(origins, origin))
  if (origins === undefined) return
  // Another OPTIONS request asks what a path can do: plugins/methods.ts answers it.
  const plain = (options: FastifyCorsOptions): FastifyCorsOptions => ({ ...options, preflight: false })
  const forAll = { named: plain(optionsOf.named), any: plain(optionsOf.any), none: plain(optionsOf.none) }
  await app.register(fastifyCors, {
    delegator ({ headers }, done) {
      const isPreflight = headers.origin !== undefined && headers['access-control-request-method'] !== undefined
      done(null, (isPreflight ? optionsOf : forAll)[origins(headers.origin)])
    }
  })
}, { name: 'cors', dependencies: ['errors'] })

function headersFor (origins: AllowedOrigins | undefined, origin: string | undefined): Record<string, string> {
  if (origins === undefined) return {}
  const vary = { Vary: 'Origin' }
  const admission = origins(origin)
  if (admission === 'none') return vary
  const exposed = { ...vary, 'Access-Control-Expose-Headers': common.exposedHeaders }
  if (admission === 'any') return { ...exposed, 'Access-Control-Allow-Origin': '*' }
  return { ...exposed, 'Access-Control-Allow-Origin': origin!, 'Access-Control-Allow-Credentials': 'true' }
}

/** Adds names of request headers to `Vary`, behind those that are there. */
export function addVary (reply: FastifyReply, names: string): void {
  const present = reply.getHeader('vary')
  reply.header('vary', present === undefined ? names : `${String(present)}, ${names}`)
}
