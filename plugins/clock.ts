import fp from 'fastify-plugin'
import { createClock, type Clock } from '../src/context/clock.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** What time it is where a user is. */
    clock: Clock
  }
}

export interface ClockOptions {
  /** Of users whose zone nobody tells; an IANA name. */
  timeZone?: string | undefined
}

export default fp<ClockOptions>(async (app, { timeZone }) => {
  app.decorate('clock', createClock(app.resources.now, timeZone))
}, { name: 'clock', dependencies: ['resources'] })
