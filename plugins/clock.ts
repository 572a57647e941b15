import fp from 'fastify-plugin'
import { createClock, type Clock } from '../src/context/clock.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The clock that returns the local time of a user. */
    clock: Clock
  }
}

export interface ClockOptions {
  /** The time zone of users whose request headers name none: an IANA name. */
  timeZone?: string | undefined
}

export default fp<ClockOptions>(async (app, { timeZone }) => {
  app.decorate('clock', createClock(app.resources.now, timeZone))
}, { name: 'clock', dependencies: ['resources'] })
