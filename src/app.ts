import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import accessLog, { type AccessLog } from '../plugins/access-log.ts'
import admin from '../plugins/admin.ts'
import bodies from '../plugins/bodies.ts'
import cache from '../plugins/cache.ts'
import clock from '../plugins/clock.ts'
import config from '../plugins/config.ts'
import errors, { sendError } from '../plugins/errors.ts'
import eventMetrics from '../plugins/event-metrics.ts'
import eventsPlugin from '../plugins/events.ts'
import experiments from '../plugins/experiments.ts'
import host from '../plugins/host.ts'
import inference from '../plugins/inference.ts'
import limits, { longestUrl } from '../plugins/limits.ts'
import methods from '../plugins/methods.ts'
import metrics from '../plugins/metrics.ts'
import openapi from '../plugins/openapi.ts'
import parameters from '../plugins/parameters.ts'
import readiness from '../plugins/readiness.ts'
import requestIds from '../plugins/request-id.ts'
import resources from '../plugins/resources.ts'
import staging, { type StagingOptions } from '../plugins/staging.ts'
import validation from '../plugins/validation.ts'
import assignments from '../routes/assignments.ts'
import events from '../routes/events.ts'
import eventsBatch from '../routes/events-batch.ts'
import experimentsRoute from '../routes/experiments.ts'
import home from '../routes/home.ts'
import items from '../routes/items.ts'
import health, { healthAtRoot } from '../routes/health.ts'
import metricsRoute from '../routes/metrics.ts'
import predictedRatings from '../routes/predicted-ratings.ts'
import recommendItems from '../routes/recommend-items.ts'
import relatedItems from '../routes/related-items.ts'
import rerankItems from '../routes/rerank-items.ts'
import users from '../routes/users.ts'
import type { ConfigSource } from './config/source.ts'
import { refuseClient } from '../plugins/client-error.ts'
import { noPeers, type Peers } from './connections/peers.ts'
import { requestId } from './base/request-id.ts'
import { steadyNow } from './base/steady-time.ts'
import type { ItemTables } from './metadata/dynamodb/item-table.ts'
import type { WebhookSecrets } from './connections/webhook-secrets.ts'

export interface AppOptions {
  source: ConfigSource
  dataDir: string
  /** The path below which all routes are, such as `/prod`; absent: none. Probes are answered at the root as well. */
  basePath?: string
  /** The most bytes that the memory tier of the cache holds; absent: 64 MiB. */
  cacheMaxBytes?: number
  /** Absent: the cache is in memory only. */
  redisUrl?: string | undefined
  /** The secrets that sign webhooks of event targets; absent: no secrets. */
  webhookSecrets?: WebhookSecrets | undefined
  /** The names of the DynamoDB tables of items; absent: those of the AWS sample. */
  itemTables?: ItemTables | undefined
  /** Whether the gateway opens event targets; absent: true. */
  delivers?: boolean
  accessLog?: AccessLog
  /** The key for the routes of administrators; absent: these routes refuse everybody. */
  adminKey?: string | undefined
  /** The bucket that item metadata is imported from; absent: only `gateway items import` imports it. */
  staging?: StagingOptions | undefined
  /** The time zone of users whose request headers name none: an IANA name; absent: UTC. */
  timeZone?: string
  /** The other processes that serve on this machine; absent: none. */
  peers?: Peers
  /** Signs recommendation ids; absent: instances share one by Redis, processes by the data directory. */
  recommendationIdSecret?: string | undefined
  /** The endpoint of CloudWatch Evidently; absent: its experiments are evaluated here. */
  evidentlyEndpoint?: string | undefined
  /** The URL of the AppConfig agent; absent: the agent's own default. */
  appConfigAgentUrl?: string
  logger: FastifyBaseLogger
  /** Epoch milliseconds. */
  now?: () => number
  /** Milliseconds on a clock that nobody sets, for ages; absent: `now` if it is given. */
  steady?: () => number
}

const mebibyte = 1024 * 1024

/** Builds the gateway: registers the plugins in the order of their dependencies, then the routes. The caller makes it listen. */
export async function buildApp ({ source, dataDir, basePath = '', cacheMaxBytes = 64 * mebibyte, redisUrl, webhookSecrets, itemTables, delivers = true, accessLog: which = 'all', adminKey, timeZone, staging: stagingOptions, peers = noPeers, recommendationIdSecret, evidentlyEndpoint, appConfigAgentUrl = 'http://localhost:2772', logger, now, steady = now ?? steadyNow }: AppOptions): Promise<FastifyInstance> {
  const app: FastifyInstance = Fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    // A child logger for each request costs more than a cache hit. The lines of a request carry its id as a field instead.
    childLoggerFactory: parent => parent,
    genReqId: request => requestId(request.headers),
    bodyLimit: mebibyte,
    routerOptions: { maxParamLength: longestUrl },
    // Longer than the 60 s for which a load balancer keeps an idle connection, so that it never writes into one that we have closed.
    keepAliveTimeout: 72_000,
    requestTimeout: 30_000,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    http: { headersTimeout: 15_000, connectionsCheckingInterval: 5_000, requireHostHeader: false },
    // The router refuses such a URL before any hook is called.
    frameworkErrors: (error, request, reply) => {
      reply.raw.once('finish', () => { app.logAnswered(request, reply) })
      sendError(error, request, reply.header('x-request-id', request.id))
    },
    clientErrorHandler: refuseClient
  })
  // Node.js would answer 417, without a body. The gateway ignores expectations that it does not know (RFC 9110 §10.1.1).
  app.server.on('checkExpectation', (request, response) => { app.server.emit('request', request, response) })

  await app.register(requestIds)
  await app.register(accessLog, { which })
  await app.register(errors)
  await app.register(limits)
  await app.register(host)
  await app.register(parameters)
  await app.register(validation)
  await app.register(bodies)
  await app.register(readiness)
  await app.register(methods)
  await app.register(resources, { dataDir, redisUrl, webhookSecrets, itemTables, delivers, peers, evidentlyEndpoint, appConfigAgentUrl, now: now ?? Date.now, steady })
  await app.register(clock, { timeZone })
  await app.register(cache, { maxBytes: cacheMaxBytes, redisUrl })
  await app.register(metrics)
  await app.register(eventMetrics)
  await app.register(config, { source })
  await app.register(openapi, { basePath, admin: adminKey !== undefined })
  await app.register(admin, { adminKey })
  await app.register(experiments, { recommendationIdSecret })
  await app.register(inference)
  await app.register(eventsPlugin, { basePath })
  if (stagingOptions !== undefined) await app.register(staging, stagingOptions)

  for (const route of [home, recommendItems, relatedItems, rerankItems, predictedRatings, events, eventsBatch, users, items, assignments, experimentsRoute, health, metricsRoute]) await app.register(route, { prefix: basePath })
  if (basePath !== '') await app.register(healthAtRoot)
  return app
}
