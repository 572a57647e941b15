import fp from 'fastify-plugin'
import { anonymous, type Access, type Principal } from '../src/security/access.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The caller. */
    principal: Principal
  }
  interface FastifyContextConfig {
    /** The scope that callers of the route need; `public`: none. A route without it refuses every caller. */
    access?: Access
    /** Whether `AUTH_SCHEME=none` opens the route although it is a write. Reads are open then, other writes and `admin` only by `OPEN_WRITES`. */
    anonymous?: boolean
  }
}

/** Authenticates each request before any other plugin can answer it. */
export default fp(async app => {
  app.decorateRequest('principal')
  app.addHook('onRequest', (request, _reply, done) => {
    request.principal = anonymous
    done()
  })
}, { name: 'authentication', dependencies: ['errors'] })
