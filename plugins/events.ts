import fp from 'fastify-plugin'
import { createDispatch, type Dispatch } from '../src/events/dispatch.ts'
import { createLedger } from '../src/events/ledger.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Brings events to the targets of their namespace. */
    dispatch: Dispatch
  }
}

/** What events share, whichever configuration serves: what is under way, and what targets already have. */
export default fp(async app => {
  const { now, eventStats: stats } = app.resources
  const ledger = createLedger({ now, redis: app.cacheParts.redis, onError: cause => { app.log.debug({ cause: String(cause) }, 'Redis does not tell which events were delivered') } })
  app.decorate('dispatch', createDispatch({ ledger, stats }))
}, { name: 'events', dependencies: ['resources', 'cache'] })
