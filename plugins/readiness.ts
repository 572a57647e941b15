import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyInstance {
    /** Whether a load balancer may send requests: not once the process has been told to end. */
    readiness: { draining: boolean }
  }
}

export default fp(async app => {
  const readiness = { draining: false }
  app.decorate('readiness', readiness)
  app.addHook('preClose', async () => { readiness.draining = true })
}, { name: 'readiness' })
