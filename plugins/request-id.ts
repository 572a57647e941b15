import fp from 'fastify-plugin'

/** Tells the caller the id under which the log knows the request. */
export default fp(async app => {
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id)
    done()
  })
}, { name: 'request-id' })
