import type { FastifyReply } from 'fastify'
import fp from 'fastify-plugin'

/** Which requests get a line. */
export type AccessLog = 'all' | 'sample' | 'errors'

export interface AccessLogOptions {
  which?: AccessLog
}

/** Of a sample, one in so many that are no errors. */
const sampled = 100

const isError = ({ statusCode }: FastifyReply): boolean => statusCode >= 400

const wanted: Readonly<Record<AccessLog, (reply: FastifyReply) => boolean>> = {
  all: () => true,
  sample: reply => Math.random() * sampled < 1 || isError(reply),
  errors: isError
}

/** One line per request, when it is answered. It names the route, not the URL: URLs carry user ids. */
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
