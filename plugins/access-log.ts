import fp from 'fastify-plugin'

/** One line per request, when it is answered. It names the route, not the URL: URLs carry user ids. */
export default fp(async app => {
  app.addHook('onResponse', async (request, reply) => {
    request.log.info({
      method: request.method,
      route: request.routeOptions.url ?? 'none',
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime * 1000) / 1000
    }, 'request')
  })
}, { name: 'access-log' })
