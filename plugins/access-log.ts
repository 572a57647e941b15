import type { FastifyReply } from 'fastify'
import fp from 'fastify-plugin'

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

/** Logs one line per request, when it is answered. The line names the route and not the URL, since URLs contain user ids. */
export default fp<AccessLogOptions>(async (app, { which = 'all' }) => {
  const isWanted = wanted[which]
  app.addHook('onResponse', (request, reply, done) => {
    if (isWanted(reply)) {
      app.log.info({
        reqId: request.id,
        method: request.method,
        route: request.routeOptions.url ?? 'none',
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime * 1000) / 1000
      }, 'request')
    }
    done()
  })
}, { name: 'access-log' })
