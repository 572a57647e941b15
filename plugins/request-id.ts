import fp from 'fastify-plugin'

/** Sends the id of each request to the caller. The lines of the log have the same id. */
export default fp(async app => {
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id)
    done()
  })
}, { name: 'request-id' })
