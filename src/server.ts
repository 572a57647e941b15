import { setTimeout as sleep } from 'node:timers/promises'
import closeWithGrace from 'close-with-grace'
import { pino } from 'pino'
import { buildApp } from './app.ts'
import { fileSource } from './config/file-source.ts'
import { endWith } from './end-with.ts'
import { sampleCurls, seedSampleStore } from './sample-store.ts'
import { readSettings, sampleConfigFile } from './settings.ts'

/** Everything under way has this long to end after the drain, in ms; with the longest drain that is 25 s. */
const closeWithin = 5_000

/** Connections that may wait to be accepted: past them, a burst of new ones would be told to try again in a second. */
const backlog = 4096

/** Runs the gateway until a signal ends it. */
async function serve (): Promise<void> {
  const settings = readSettings()
  const drain = settings.SHUTDOWN_DRAIN * 1000
  const logger = pino({ level: settings.LOG_LEVEL })
  const file = settings.CONFIG_FILE ?? sampleConfigFile
  if (file === sampleConfigFile) await seedSampleStore(settings.DATA_DIR)

  const app = await buildApp({ source: fileSource(file), dataDir: settings.DATA_DIR, logger })
  closeWithGrace({ delay: drain + closeWithin, logger }, async ({ signal, err }) => {
    if (err) logger.fatal(err, 'ending because of an error that nobody caught')
    else logger.info({ signal, drain }, 'draining')
    app.readiness.draining = true
    if (!err) await sleep(drain)
    // A client that does not go on sending must not hold up the end.
    setTimeout(() => app.server.closeAllConnections(), closeWithin / 2).unref()
    await app.close()
  })

  // Probes are answered while a long log is still being learned.
  await app.listen({ port: settings.PORT, host: settings.HOST, backlog })
  await app.config.loaded
  const address = app.server.address()
  if (file === sampleConfigFile && typeof address === 'object') console.log(sampleCurls(address!.port))
}

await serve().catch(endWith)
