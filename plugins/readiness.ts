import fp from 'fastify-plugin'
import { GatewayError } from '../src/base/errors.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * Whether a load balancer may send requests: not while the process is `starting` (it listens, but some worker of its port cannot
     * serve yet), and not while it is `draining` (from the signal to end on).
     */
    readiness: { starting: boolean, draining: boolean }
  }
}

export default fp(async app => {
  const readiness = { starting: false, draining: false }
  let closing = false
  app.decorate('readiness', readiness)
  app.addHook('preClose', async () => { readiness.draining = closing = true })
  app.addHook('onRequest', (_request, reply, done) => {
    if (readiness.draining) reply.header('connection', 'close')
    if (closing) done(new GatewayError('ShuttingDown', 'the gateway is shutting down', { retryAfter: 1 }))
    else done()
  })
}, { name: 'readiness', dependencies: ['errors'] })
