import fp from 'fastify-plugin'
import { openLivePlan, type LivePlan } from '../src/plan/live-plan.ts'
import type { ConfigSource } from '../src/config/source.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The configuration that serves now, and the status of its loading. */
    config: LivePlan
  }
}

export interface ConfigOptions {
  source: ConfigSource
}

/** Loads the configuration in the background, and follows its source. */
export default fp<ConfigOptions>(async (app, { source }) => {
  const config = openLivePlan(source, app.resources, {
    onLoaded ({ version, generation, warnings }) {
      app.log.info({ version, generation, source: source.name }, 'configuration loaded')
      for (const warning of warnings) app.log.warn({ version, generation }, warning)
    },
    onRefused: error => app.log.error(error, 'the new configuration was refused; the one before goes on serving')
  })
  app.decorate('config', config)
  app.addHook('onClose', async () => config.close())
}, { name: 'config', dependencies: ['resources'] })
