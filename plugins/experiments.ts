import fp from 'fastify-plugin'
import { Counter } from 'prom-client'
import { createBlend, type Blend } from '../src/inference/blend.ts'
import { createExposures, type Exposures } from '../src/inference/expose.ts'
import { readSecret, shareSecrets, type SharedSecrets } from '../src/experiments/id-secrets.ts'
import { recommendationIds, type RecommendationIds } from '../src/experiments/recommendation-id.ts'
import { createMemoryTally } from '../src/experiments/tally/memory.ts'
import { createRedisTally } from '../src/experiments/tally/redis.ts'
import { createTally, type Tally } from '../src/experiments/tally/tally.ts'
import { createTroubleLog } from '../src/experiments/trouble.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The parts of experiments that outlive a configuration. */
    experiments: {
      ids: RecommendationIds
      tally: Tally
      blend: Blend
      exposures: Exposures
      /** Whether other instances accept the recommendation ids of this one, or there are none to ask. */
      readonly settled: boolean
    }
  }
}

export interface ExperimentsOptions {
  /** Signs recommendation ids; absent: a secret that the instances share by Redis, or else one of the data directory. */
  recommendationIdSecret?: string | undefined
}

/** Opens the counts of experiments, in Redis where there is one, and what issues recommendation ids. */
export default fp<ExperimentsOptions>(async (app, { recommendationIdSecret }) => {
  const { dataDir, now, steady, onError, experimentStats: stats } = app.resources
  const { redis } = app.cacheParts
  const onTrouble = createTroubleLog(app.resources, 'experiments cannot be counted in Redis')
  const shared: SharedSecrets | undefined = redis === undefined || recommendationIdSecret !== undefined ? undefined : shareSecrets({ redis, onError: onTrouble })
  const secret = shared === undefined ? recommendationIdSecret ?? await readSecret(dataDir) : ''
  const ids = recommendationIds(shared?.current ?? (() => [secret]), now)
  const tally = createTally({ store: redis === undefined ? createMemoryTally({ now: steady }) : createRedisTally(redis), onError: onTrouble })
  const exposures = createExposures({ tally, ids, stats, now, steady, onError, targetsOf: namespace => app.config.current?.namespaces.get(namespace)?.eventTargets })
  app.decorate('experiments', { ids, tally, blend: createBlend(ids), exposures, get settled () { return shared === undefined || shared.known || redis?.state === 'away' } })
  app.addHook('onClose', async () => {
    shared?.close()
    await exposures.settled()
    await tally.close()
  })

  const { registry } = app.metrics
  const labelled = (name: string, help: string, labelNames: string[], read: (inc: (labels: Record<string, string>, value: number) => void) => void): void => {
    registry.registerMetric(new Counter({ name, help, labelNames, registers: [], collect () { this.reset(); read((labels, value) => { this.inc(labels, value) }) } }))
  }
  labelled('gateway_experiment_exposures_total', 'Exposures, each user once in a window.', ['experiment', 'variation'], inc => {
    for (const [experiment, { exposures }] of stats.all()) for (const [variation, count] of exposures) inc({ experiment, variation }, count)
  })
  labelled('gateway_experiment_unavailable_total', 'Assignments for which the system that decides did not answer in time: the first variation was served.', ['experiment'], inc => {
    for (const [experiment, { unavailable }] of stats.all()) inc({ experiment }, unavailable)
  })
  labelled('gateway_experiment_unreported_total', 'Exposures and conversions that the system behind the experiment was not told of.', ['experiment'], inc => {
    for (const [experiment, { unreported }] of stats.all()) inc({ experiment }, unreported)
  })
  labelled('gateway_experiment_counts_dropped_total', 'Exposures and conversions that were not counted, since too many waited.', [], inc => { inc({}, tally.dropped) })
  labelled('gateway_experiment_records_dropped_total', 'Records of exposures that no target has.', [], inc => { inc({}, stats.droppedRecords) })
  labelled('gateway_experiment_foreign_ids_total', 'Events with a recommendation id that is forged, unknown, or of another user: they are credited to nothing.', [], inc => { inc({}, stats.foreignIds) })
}, { name: 'experiments', dependencies: ['resources', 'cache', 'config', 'metrics'] })
