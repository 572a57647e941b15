import cluster from 'node:cluster'
import { setTimeout as sleep } from 'node:timers/promises'
import closeWithGrace from 'close-with-grace'
import type { FastifyInstance } from 'fastify'
import { pino, type Logger } from 'pino'
import { buildApp } from './app.ts'
import { fileSource } from './config/file-source.ts'
import { endWith } from './base/end-with.ts'
import { sampleCurls, seedSampleStore } from './sample-store.ts'
import { noPeers } from './connections/peers.ts'
import { hasOwnS3, readSettings, sampleConfigFile, webhookSecretsOf, type Settings } from './settings.ts'
import { startPrimary } from './workers/primary.ts'
import { joinPrimary, type Worker } from './workers/worker.ts'

/** Everything under way has this long to end after the drain, in ms: events may take 4 s, and a container 10 s until it is killed. */
const closeWithin = 8_000

/** Drain and end together take no longer, in ms. */
const endWithin = 25_000

/** Connections that may wait to be accepted: past them, a burst of new ones would be told to try again in a second. */
const backlog = 4096

/** No request waits for its line to be written: lines are written many at a time, and what is left five times a second and at the end. */
function openLog (level: string): Logger {
  const logger = pino({ level }, pino.destination({ sync: false, minLength: 8192 }))
  setInterval(() => { logger.flush() }, 200).unref()
  return logger
}

/** Runs the gateway until a signal ends it: in this process, or in so many workers that share the port. */
async function serve (): Promise<void> {
  const settings = readSettings()
  const inWorker = cluster.isWorker
  if (!inWorker && isSampleStore(settings)) await seedSampleStore(settings.DATA_DIR)
  if (settings.WORKERS > 1 && !inWorker) serveByWorkers(settings)
  else await serveHere(settings, inWorker)
}

function serveByWorkers (settings: Settings): void {
  const logger = openLog(settings.LOG_LEVEL)
  const primary = startPrimary({
    count: settings.WORKERS,
    onServing (port) { if (isSampleStore(settings)) console.log(sampleCurls(port)) },
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
  const worker = inWorker ? joinPrimary(error => { logger.error(error, 'what another worker told could not be handled') }) : undefined
  const app = await buildApp({
    source: fileSource(settings.CONFIG_FILE ?? sampleConfigFile),
    dataDir: settings.DATA_DIR,
    cacheMaxBytes: settings.CACHE_MAX_BYTES,
    redisUrl: settings.REDIS_URL,
    webhookSecrets: webhookSecretsOf(settings),
    accessLog: settings.ACCESS_LOG,
    staging: settings.STAGING_BUCKET === undefined ? undefined : { bucket: { name: settings.STAGING_BUCKET, pathStyle: hasOwnS3() } },
    adminKey: settings.ADMIN_KEY,
    timeZone: settings.TIME_ZONE,
    peers: worker?.peers ?? noPeers,
    logger
  })
  let ending = false
  // Signals that a terminal sends to all are for the primary alone.
  const grace = closeWithGrace({ delay: delayOf(settings), logger, skip: inWorker ? ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] : [] }, async ({ signal, err }) => {
    ending = true
    if (err) logger.fatal(err, 'ending because of an error that nobody caught')
    else logger.info({ signal, drain: drainOf(settings) }, 'draining')
    app.readiness.draining = true
    if (!err) await sleep(drainOf(settings))
    // A client that does not go on sending must not hold up the end.
    setTimeout(() => app.server.closeAllConnections(), (delayOf(settings) - drainOf(settings)) * 0.6).unref()
    await app.close()
    logger.flush()
  })

  void worker?.stopped.then(() => { grace.close() })

  // Probes are answered while a long log is still being learned. A worker beside others that serve does not listen yet: it would get requests, too.
  try {
    if (worker !== undefined) await untilToListen(worker, app)
    await app.listen({ port: settings.PORT, host: settings.HOST, backlog })
    await app.config.loaded
  } catch (error) {
    // Told to end before it had begun.
    if (ending) return
    throw error
  }
  const address = app.server.address()
  const port = typeof address === 'object' && address !== null ? address.port : settings.PORT
  if (worker !== undefined) worker.serving(port)
  else if (isSampleStore(settings)) console.log(sampleCurls(port))
}

/** @throws what kept it from loading its configuration */
async function untilToListen ({ welcomed, allServing }: Worker, { config, readiness }: FastifyInstance): Promise<void> {
  if (!await welcomed) return config.loaded
  readiness.starting = true
  void allServing.then(() => { readiness.starting = false })
}

function isSampleStore ({ CONFIG_FILE }: Settings): boolean {
  return (CONFIG_FILE ?? sampleConfigFile) === sampleConfigFile
}

/** From the signal to the end, in ms. */
function delayOf (settings: Settings): number {
  return Math.min(drainOf(settings) + closeWithin, endWithin)
}

/** In ms. */
function drainOf ({ SHUTDOWN_DRAIN }: Settings): number {
  return SHUTDOWN_DRAIN * 1000
}

await serve().catch(endWith)
