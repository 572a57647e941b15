import cluster from 'node:cluster'
import { setTimeout as sleep } from 'node:timers/promises'
import closeWithGrace from 'close-with-grace'
import type { FastifyInstance } from 'fastify'
import { pino, type Logger } from 'pino'
import { fileSource } from './config/file-source.ts'
import { endWith } from './base/end-with.ts'
import { boundHeap, giveBackHeap } from './base/lean-heap.ts'
import { isSampleConfig } from './base/packaged-file.ts'
import { prepareDataDir } from './connections/data-dir.ts'
import { holdDataDir } from './connections/data-dir-holders.ts'
import { noPeers } from './connections/peers.ts'
import { adoptDefaultRegion, authenticationOf, hasOwnS3, itemTablesOf, readSettings, sampleConfigFile, webhookSecretsOf, type Settings } from './settings.ts'
import { admissionOf, serverLimitsOf } from './limits/settings.ts'
import { startPrimary } from './workers/primary.ts'
import { joinPrimary, type Worker } from './workers/worker.ts'

/** Requests and deliveries get this long to end after the drain, in ms: events may take 4 s, and a container is killed after 10 s. */
const closeWithin = 9_000

/** The longest time that the drain and the end take together, in ms. */
const endWithin = 25_000

/** The garbage of the start is collected so long after it, in ms: the first requests need not wait for that. */
const collectAfter = 2_000

/** Connections that may wait to be accepted. The kernel drops further ones of a burst, and their clients try again after a second. */
const backlog = 4096

/** Opens the log. No request waits for its line: lines are written in blocks of 8 KiB, and the rest five times a second and at the end. */
function openLog (level: string): Logger {
  const logger = pino({ level }, pino.destination({ sync: false, minLength: 8192 }))
  setInterval(() => { logger.flush() }, 200).unref()
  return logger
}

/** Runs the gateway until a signal ends it: in this process, or in several workers that share the port. */
async function serve (): Promise<void> {
  adoptDefaultRegion()
  const settings = readSettings()
  const inWorker = cluster.isWorker
  // The primary holds the directory for its workers.
  if (!inWorker) await holdDirectory(settings)
  if (!inWorker && isSampleStore(settings)) await seed(settings)
  if (settings.WORKERS > 1 && !inWorker) serveByWorkers(settings)
  else await serveHere(settings, inWorker)
}

/** Holds the data directory until this process ends. */
async function holdDirectory ({ DATA_DIR }: Settings): Promise<void> {
  await prepareDataDir(DATA_DIR)
  await holdDataDir(DATA_DIR)
}

function serveByWorkers (settings: Settings): void {
  const logger = openLog(settings.LOG_LEVEL)
  const primary = startPrimary({
    count: settings.WORKERS,
    onServing (port) { if (isSampleStore(settings)) void tellCurls(settings, port) },
    onLost (lost) { logger.error(lost, 'a worker is lost; another takes its place') },
    onFailed: code => process.exit(code)
  })
  closeWithGrace({ delay: delayOf(settings), logger }, async () => {
    const code = await primary.stop()
    if (code !== 0) throw new Error(`a worker ended with ${code}`)
  })
}

async function serveHere (settings: Settings, inWorker: boolean): Promise<void> {
  const logger = openLog(settings.LOG_LEVEL)
  const worker = inWorker ? joinPrimary(error => { logger.error(error, 'a message from another worker could not be handled') }) : undefined
  // The primary of workers serves nothing itself, and loads nothing of this.
  const { buildApp } = await import('./app.ts')
  const app = await buildApp({
    source: fileSource(settings.CONFIG_FILE ?? sampleConfigFile),
    dataDir: settings.DATA_DIR,
    basePath: settings.BASE_PATH,
    cacheMaxBytes: settings.CACHE_MAX_BYTES,
    redisUrl: settings.REDIS_URL,
    webhookSecrets: webhookSecretsOf(settings),
    itemTables: itemTablesOf(settings),
    accessLog: settings.ACCESS_LOG,
    staging: settings.STAGING_BUCKET === undefined ? undefined : { bucket: { name: settings.STAGING_BUCKET, pathStyle: hasOwnS3() } },
    adminKey: settings.ADMIN_KEY,
    recommendationIdSecret: settings.RECOMMENDATION_ID_SECRET,
    evidentlyEndpoint: settings.EVIDENTLY_ENDPOINT,
    appConfigAgentUrl: settings.APPCONFIG_AGENT_URL,
    authentication: authenticationOf(settings),
    timeZone: settings.TIME_ZONE,
    ...admissionOf(settings),
    limits: serverLimitsOf(settings),
    peers: worker?.peers ?? noPeers,
    logger
  })
  let ending = false
  // A terminal sends its signals to the workers as well. Only the primary handles them.
  const grace = closeWithGrace({ delay: delayOf(settings), logger, skip: inWorker ? ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] : [] }, async ({ signal, err }) => {
    ending = true
    if (err) logger.fatal(err, 'ending because of an uncaught error')
    else logger.info({ signal, drain: drainOf(settings) }, 'draining')
    app.readiness.draining = true
    if (!err) await sleep(drainOf(settings))
    // A client that stops in the middle of a request must not delay the end.
    setTimeout(() => app.server.closeAllConnections(), (delayOf(settings) - drainOf(settings)) * 0.55).unref()
    await app.close()
    logger.flush()
  })

  void worker?.stopped.then(() => { grace.close() })

  // The gateway listens before its configuration is loaded, so that it answers probes while it learns a long event log. A worker beside
  // others that serve already listens later, since it would get requests as well.
  try {
    if (worker !== undefined) await untilToListen(worker, app)
    await app.listen({ port: settings.PORT, host: settings.HOST, backlog })
    await app.config.loaded
    // The start itself is faster without the bound.
    boundHeap()
    setTimeout(() => { giveBackHeap().catch((error: unknown) => { logger.warn(error, 'the memory of the start is not given back') }) }, collectAfter).unref()
  } catch (error) {
    // A signal ended the process while it was starting.
    if (ending) return
    throw error
  }
  const address = app.server.address()
  const port = typeof address === 'object' && address !== null ? address.port : settings.PORT
  if (worker !== undefined) worker.serving(port)
  else if (isSampleStore(settings)) await tellCurls(settings, port)
}

/** Resolves when the worker may listen. @throws the error that kept it from loading its configuration */
async function untilToListen ({ welcomed, allServing }: Worker, { config, readiness }: FastifyInstance): Promise<void> {
  if (!await welcomed) return config.loaded
  readiness.starting = true
  void allServing.then(() => { readiness.starting = false })
}

function isSampleStore ({ CONFIG_FILE }: Settings): boolean {
  return isSampleConfig(CONFIG_FILE ?? sampleConfigFile)
}

async function seed ({ DATA_DIR }: Settings): Promise<void> {
  const { seedSampleStore } = await import('./sample-store.ts')
  await seedSampleStore(DATA_DIR)
}

async function tellCurls ({ BASE_PATH }: Settings, port: number): Promise<void> {
  const { sampleCurls } = await import('./sample-store.ts')
  console.log(sampleCurls(`http://localhost:${port}${BASE_PATH}`))
}

/** Returns the time from the signal to the end, in ms. */
function delayOf (settings: Settings): number {
  return Math.min(drainOf(settings) + closeWithin, endWithin)
}

/** Returns the length of the drain, in ms. */
function drainOf ({ SHUTDOWN_DRAIN }: Settings): number {
  return SHUTDOWN_DRAIN * 1000
}

await serve().catch(endWith)
