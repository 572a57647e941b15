import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import accessLog, { type AccessLog } from '../plugins/access-log.ts'
import authentication, { type AuthenticationOptions } from '../plugins/authentication.ts'
import bodies from '../plugins/bodies.ts'
import cache from '../plugins/cache.ts'
import clock from '../plugins/clock.ts'
import config from '../plugins/config.ts'
import cors from '../plugins/cors.ts'
import errors, { sendError } from '../plugins/errors.ts'
import eventMetrics from '../plugins/event-metrics.ts'
import eventsPlugin from '../plugins/events.ts'
import experiments from '../plugins/experiments.ts'
import host from '../plugins/host.ts'
import inference from '../plugins/inference.ts'
import limits from '../plugins/limits.ts'
import methods from '../plugins/methods.ts'
import metrics from '../plugins/metrics.ts'
import openapi from '../plugins/openapi.ts'
import overload from '../plugins/overload.ts'
import parameters from '../plugins/parameters.ts'
import rateLimits from '../plugins/rate-limits.ts'
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
import type { AllowedOrigins } from './base/allowed-origins.ts'
import { refuseClient } from '../plugins/client-error.ts'
import { noPeers, type Peers } from './connections/peers.ts'
import type { Rates } from './limits/rates.ts'
import { defaultLimits, type ServerLimits } from './limits/settings.ts'
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
  /** A key with the scope `admin`; absent: none. */
  adminKey?: string | undefined
  /** The credentials that callers need; absent: reads and events are open, and everything else needs the admin key. */
  authentication?: AuthenticationOptions
  /** The bucket that item metadata is imported from; absent: only `gateway items import` imports it. */
  staging?: StagingOptions | undefined
  /** The time zone of users whose request headers name none: an IANA name; absent: UTC. */
  timeZone?: string
  /** The origins whose pages may call the gateway; absent: none. */
  corsOrigins?: AllowedOrigins | undefined
  /** The rates of clients by scope; absent: only those of namespaces count. */
  rates?: Rates | undefined
  /** The proxies whose `X-Forwarded-For` counts: networks, and names as Fastify has them; absent: none. */
  trustProxy?: string[] | undefined
  /** Whether only CloudFront can reach the gateway; absent: false. */
  trustCloudFront?: boolean
  /** The limits of requests and connections; absent: those of a server without settings. */
  limits?: ServerLimits
  /** The most requests in flight, cache hits not counted; absent: 10,000. */
  mostInFlight?: number | undefined
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
export async function buildApp (options: AppOptions): Promise<FastifyInstance> {
  const { source, dataDir, basePath = '', cacheMaxBytes = 64 * mebibyte, redisUrl, webhookSecrets, itemTables, delivers = true, timeZone, logger } = options
  const { adminKey, corsOrigins, rates, trustProxy = [], trustCloudFront = false, limits: serverLimits = defaultLimits, mostInFlight } = options
  const { peers = noPeers, recommendationIdSecret, evidentlyEndpoint, appConfigAgentUrl = 'http://localhost:2772' } = options
  const { now, steady = now ?? steadyNow } = options
  const app: FastifyInstance = Fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    // A child logger for each request costs more than a cache hit. The lines of a request carry its id as a field instead.
    childLoggerFactory: parent => parent,
    genReqId: request => requestId(request.headers),
    trustProxy: trustProxy.length > 0 && trustProxy,
    bodyLimit: serverLimits.body,
    routerOptions: { maxParamLength: serverLimits.url },
    keepAliveTimeout: serverLimits.keepAlive,
    requestTimeout: serverLimits.requestTimeout,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    http: { headersTimeout: serverLimits.headersTimeout, maxHeaderSize: serverLimits.headers, connectionsCheckingInterval: 5_000, requireHostHeader: false },
    // The router refuses such a URL before any hook is called.
    frameworkErrors: (error, request, reply) => {
      reply.raw.once('finish', () => { app.logAnswered(request, reply) })
      sendError(error, request, reply.headers({ 'x-request-id': request.id, ...app.corsHeaders(request.headers.origin) }))
    },
    clientErrorHandler: (error, socket) => { refuseClient(error, socket, app.corsHeaders, app.authentication.tokenChallenge) }
  })
  // Node.js would answer 417, without a body. The gateway ignores expectations that it does not know (RFC 9110 §10.1.1).
  app.server.on('checkExpectation', (request, response) => { app.server.emit('request', request, response) })

  await app.register(requestIds)
  await app.register(accessLog, { which: options.accessLog ?? 'all' })
  await app.register(errors)
  await app.register(cors, { origins: corsOrigins })
  await app.register(overload, { now: steady, most: mostInFlight })
  await app.register(limits, { longestUrl: serverLimits.url, mostConnections: serverLimits.connections })
  await app.register(host)
  await app.register(parameters)
  await app.register(validation)
  await app.register(bodies, { deepest: serverLimits.jsonDepth })
  await app.register(readiness)
  await app.register(methods)
  await app.register(resources, { dataDir, redisUrl, webhookSecrets, itemTables, delivers, peers, evidentlyEndpoint, appConfigAgentUrl, now: now ?? Date.now, steady })
  await app.register(clock, { timeZone })
  await app.register(cache, { maxBytes: cacheMaxBytes, redisUrl })
  await app.register(metrics)
  await app.register(eventMetrics)
  await app.register(config, { source })
  // From here on every request is authenticated: inference answers from memory in a hook of its own, which must come later.
  await app.register(authentication, { ...options.authentication, adminKey })
  await app.register(rateLimits, { rates, trustCloudFront })
  await app.register(openapi, { basePath })
  await app.register(experiments, { recommendationIdSecret })
  await app.register(inference)
  await app.register(eventsPlugin, { basePath })
  if (options.staging !== undefined) await app.register(staging, options.staging)

  for (const route of [home, recommendItems, relatedItems, rerankItems, predictedRatings, events, eventsBatch, users, items, assignments, experimentsRoute, health, metricsRoute]) await app.register(route, { prefix: basePath })
  if (basePath !== '') await app.register(healthAtRoot)
  return app
}
