import { randomUUID } from 'node:crypto'
import fp from 'fastify-plugin'
import { withoutBasePath } from '../src/base/base-path.ts'
import { surroundingsOf } from '../src/context/surroundings.ts'
import { bringerOf } from '../src/targets/body.ts'
import type { CollectOptions } from '../src/events/collect.ts'
import { createCreditor } from '../src/events/credit.ts'
import { createDispatch } from '../src/events/dispatch.ts'
import { createLedger } from '../src/events/ledger.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Returns the options for collecting the events of a request. */
    collecting: (request: Pick<FastifyRequest, 'headers' | 'url' | 'query' | 'principal'>) => CollectOptions
  }
}

export interface EventsOptions {
  /** The path below which the routes are: records name the path below it. */
  basePath: string
}

/** Opens the state of events that outlives a configuration: the events being sent, and the ledger of those that targets have. */
export default fp<EventsOptions>(async (app, { basePath }) => {
  const { now, steady, userVersions, eventStats: stats, experimentStats } = app.resources
  const ledger = createLedger({ now: steady, redis: app.cacheParts.redis, onError: cause => { app.log.debug({ cause: String(cause) }, 'could not exchange with Redis which events were delivered') } })
  const dispatch = createDispatch({ ledger, stats })
  const { ids, tally } = app.experiments
  const credit = createCreditor({ ids, tally, stats: experimentStats, newId: randomUUID })
  app.decorate('collecting', ({ headers, url, query, principal }) => (
    { principal, now, userVersions, dispatch, credit, newId: randomUUID, surroundings: surroundingsOf(headers, app.clock), broughtBy: bringerOf(withoutBasePath(url, basePath), headers, query) }
  ))
}, { name: 'events', dependencies: ['resources', 'cache', 'clock', 'experiments'] })
