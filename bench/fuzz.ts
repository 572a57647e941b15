/**
 * Does the gateway take what its OpenAPI document allows, and refuse what the document excludes?
 *   npm run fuzz [-- --requests 20000 --seed 1]
 * Random requests to the sample store: every parameter of every route, with valid and hostile values in many spellings. Each answer is
 * compared with the document. The same seed gives the same requests. Exits 1 if an answer contradicts the document.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { pino } from 'pino'
import { buildApp } from '../src/app.ts'
import { fileSource } from '../src/config/file-source.ts'
import { sampleConfigFile } from '../src/settings.ts'
import { fuzz } from './fuzz-run.ts'
import { createRandom } from './soak-traffic.ts'

const { values } = parseArgs({ options: { requests: { type: 'string', default: '20000' }, seed: { type: 'string', default: String(Date.now() % 1_000_000) } } })
const [requests, seed] = [Number(values.requests), Number(values.seed)]

const dataDir = mkdtempSync(join(tmpdir(), 'gateway-fuzz-'))
const adminKey = 'the-admin-key-of-the-fuzz'
const app = await buildApp({ source: fileSource(sampleConfigFile), dataDir, adminKey, logger: pino({ level: 'silent' }) })
try {
  await app.ready()
  await app.config.loaded
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const names = { namespace: ['sample-store'], recommender: ['recommended-for-you', 'similar', 'personalized-ranking', 'ratings'] }
  console.log(`seed ${seed}, ${requests} requests`)
  const started = performance.now()
  const { statuses, wrong } = await fuzz({ url, document: app.openapi(), requests, random: createRandom(seed), adminKey, names })
  console.table(Object.fromEntries([...statuses].sort()))
  console.log(`${((performance.now() - started) / 1000).toFixed(1)} s; ${wrong.length} answers contradict the OpenAPI document`)
  for (const line of wrong.slice(0, 20)) console.log(line)
  process.exitCode = wrong.length === 0 ? 0 : 1
} finally {
  await app.close()
  rmSync(dataDir, { recursive: true, force: true })
}
