import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyInstance {
    /** Logs a request that has been answered. */
    logAnswered: (request: FastifyRequest, reply: FastifyReply) => void
  }
  interface FastifyContextConfig {
    /** Whether the lines of the route are for debugging only, as it is asked all the time. */
    quiet?: boolean
  }
}

/** The requests that get a line in the log: all, a sample and all errors, or errors. */
export type AccessLog = 'all' | 'sample' | 'errors'

export interface AccessLogOptions {
  which?: AccessLog
}

/** In a sample, one of this many requests without an error gets a line. */
const sampled = 100

const isError = ({ statusCode }: FastifyReply): boolean => statusCode >= 400

const wanted: Readonly<Record<AccessLog, (reply: FastifyReply) => boolean>> = {
  all: () => true,
  sample: reply => Math.random() * sampled < 1 || isError(reply),
  errors: isError
}

/**
 * Logs one line per request, when it is answered. The line names the route and not the URL, since URLs contain user ids. The line of an
 * error has its code, the namespace, and for an unknown place the path, without ids where they are known to be.
 */
export default fp<AccessLogOptions>(async (app, { which = 'all' }) => {
  const isWanted = wanted[which]
  const logAnswered = (request: FastifyRequest, reply: FastifyReply): void => {
    if (!isWanted(reply)) return
    const { url, config } = routeOf(request)
    app.log[config?.quiet === true ? 'debug' : 'info']({
      reqId: request.id,
      method: request.method,
      route: url ?? 'none',
      status: reply.statusCode,
      ...(isError(reply) ? refusalOf(request, reply) : {}),
      ms: Math.round(reply.elapsedTime * 1000) / 1000
    }, 'request')
  }
  app.decorate('logAnswered', logAnswered)
  app.addHook('onResponse', (request, reply, done) => {
    logAnswered(request, reply)
    done()
  })
}, { name: 'access-log' })

/** Returns the route of a request. A URL that the router refuses has none, whatever the types of Fastify say. */
function routeOf ({ routeOptions }: FastifyRequest): { url?: string | undefined, config?: { quiet?: boolean } } {
  return routeOptions
}

function refusalOf (request: FastifyRequest, { statusCode, errorCode }: FastifyReply): { code?: string, namespace?: string, path?: string } {
  const { url, params } = request
  const route = routeOf(request).url
  const { namespace } = (params ?? {}) as { namespace?: unknown }
  return {
    ...(errorCode !== '' && { code: errorCode }),
    ...(typeof namespace === 'string' && { namespace: namespace.slice(0, longest) }),
    ...(statusCode === 404 && { path: (route === undefined ? withoutIds(url) : filled(route, params as object)).slice(0, longest) })
  }
}

/** In characters: texts of callers must not fill the log. */
const longest = 256

/** Returns the path of a route with the names of the request in it, and the placeholders of ids. */
function filled (route: string, params: object): string {
  return route.replace(/:namespace|:recommender|\*/g, placeholder => String(params[placeholder.replace(':', '') as keyof typeof params]))
}

/**
 * Returns the path of a URL that no route has, without what stands in the place of ids behind the name of an action, namespace and
 * recommender, and without segments that are long enough for keys, tokens and UUIDs.
 */
function withoutIds (url: string): string {
  return url.split('?', 1)[0]!.replace(/[^/]{32,}/g, '…').replace(/(\/(?:recommend-items|related-items|rerank-items|predicted-ratings)\/[^/]*\/[^/]*\/).+/, '$1…')
}
