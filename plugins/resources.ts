import fp from 'fastify-plugin'
import { createUserVersions } from '../src/cache/user-versions.ts'
import { createExperimentStats } from '../src/experiments/stats.ts'
import { createEventStats } from '../src/targets/stats.ts'
import { createMetadataStats } from '../src/metadata/stats.ts'
import { noPeers, type Peers } from '../src/connections/peers.ts'
import type { ItemTables } from '../src/metadata/dynamodb/item-table.ts'
import { createPool } from '../src/connections/pool.ts'
import { createRevisions } from '../src/connections/revisions.ts'
import { createSharedSessions } from '../src/connections/shared-sessions.ts'
import type { Resources } from '../src/plan/resources.ts'
import type { WebhookSecrets } from '../src/connections/webhook-secrets.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The resources that all configurations of this process share. */
    resources: Resources
  }
}

export interface ResourcesOptions {
  dataDir: string
  /** Absent: this process has no Redis. */
  redisUrl?: string | undefined
  /** The secrets that sign webhooks; absent: this process has none. */
  webhookSecrets?: WebhookSecrets | undefined
  /** The names of the tables of items; absent: the defaults. */
  itemTables?: ItemTables | undefined
  /** Whether to open event targets; absent: true. */
  delivers?: boolean
  /** Epoch milliseconds. */
  now: () => number
  /** Milliseconds on a clock that nobody sets, for ages. */
  steady: () => number
  /** The other processes that serve on this machine; absent: none. */
  peers?: Peers
  /** Absent: experiments of CloudWatch Evidently are evaluated here. */
  evidentlyEndpoint?: string | undefined
  appConfigAgentUrl: string
}

/** Opens the resources that configurations share, and closes them with the application. */
export default fp<ResourcesOptions>(async (app, { dataDir, redisUrl, webhookSecrets, itemTables, delivers = true, now, steady, peers = noPeers, evidentlyEndpoint, appConfigAgentUrl }) => {
  const onError = (error: unknown): void => app.log.error(error, 'something failed in the background')
  const pool = createPool({ onError })
  const userVersions = createUserVersions()
  if (peers !== noPeers) {
    peers.on('outdate', (slot: number) => { userVersions.outdate(slot) })
    userVersions.tell({ state: 'leased', announce: async (_user, slot) => { await peers.tell('outdate', slot) } })
  }
  app.decorate('resources', {
    dataDir,
    redisUrl,
    webhookSecrets,
    delivers,
    now,
    steady,
    onError,
    pool,
    userVersions,
    revisions: createRevisions(),
    sharedSessions: createSharedSessions((namespace, sessionId) => {
      app.log.warn({ namespace, sessionId }, 'many users send events with the same sessionId: the embedded recommender ignores this session id')
    }),
    metadataStats: createMetadataStats(),
    itemTables,
    eventStats: createEventStats(),
    experimentStats: createExperimentStats(),
    evidentlyEndpoint,
    appConfigAgentUrl,
    peers
  })
  app.addHook('onClose', async () => pool.close())
}, { name: 'resources' })
