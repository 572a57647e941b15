import fp from 'fastify-plugin'
import { createUserVersions } from '../src/cache/user-versions.ts'
import { createPool } from '../src/pool.ts'
import type { Resources } from '../src/scope.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** What the configurations of this process share. */
    resources: Resources
  }
}

export interface ResourcesOptions {
  dataDir: string
}

/** Everything that configurations open is closed with the application. */
export default fp<ResourcesOptions>(async (app, { dataDir }) => {
  const onError = (error: unknown): void => app.log.error(error, 'something failed in the background')
  const pool = createPool({ onError })
  app.decorate('resources', { dataDir, now: Date.now, onError, pool, userVersions: createUserVersions() })
  app.addHook('onClose', async () => pool.close())
}, { name: 'resources' })
