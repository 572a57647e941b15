import fp from 'fastify-plugin'
import { openLiveConfig, type LiveConfig } from '../src/config/live-config.ts'
import { type ConfigSource } from '../src/config/source.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The configuration that serves now, and how its loading went. */
    config: LiveConfig
  }
}

export interface ConfigOptions {
  source: ConfigSource
  dataDir: string
}

/** Loads the configuration and follows its source. */
export default fp<ConfigOptions>(async (app, { source, dataDir }) => {
  const resources = {
    dataDir,
    now: Date.now,
    onError: (error: unknown) => app.log.error(error, 'something failed in the background'),
    recommenders: app.recommenders,
    itemMetadata: app.itemMetadata,
    awsClients: app.awsClients,
    http: app.httpDispatcher,
    userVersions: app.userVersions
  }
  const config = await openLiveConfig(source, resources, {
    onLoaded: ({ version, generation }) => app.log.info({ version, generation, source: source.name }, 'configuration loaded'),
    onRefused: error => app.log.error(error, 'the new configuration was refused; the one before goes on serving')
  })
  app.decorate('config', config)
  app.addHook('onClose', async () => config.close())
}, { name: 'config', dependencies: ['recommenders', 'item-metadata', 'origins', 'cache'] })
