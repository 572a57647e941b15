import fp from 'fastify-plugin'
import { createUserVersions, type UserVersions } from '../src/cache/user-versions.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** What is out of date because of a user's events. */
    userVersions: UserVersions
  }
}

export default fp(async app => {
  app.decorate('userVersions', createUserVersions())
}, { name: 'cache' })
