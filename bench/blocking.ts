/**
 * Measures how long large requests block the event loop, and the memory that they take: each kind of body is sent ten at a time, while
 * a prober in another thread asks for /health/live every 5 ms.
 *
 *   node dist/bench/blocking.js
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { gzipSync } from 'node:zlib'
import { packagedFile } from '../src/base/packaged-file.ts'
import { freePort } from './free-port.ts'
import { answering, openProcesses } from './hits-processes.ts'

const mebibyte = 1024 * 1024
const atOnce = 10
const rounds = 2
/** The bounds that the gateway keeps: the slowest probe, in ms, and the growth of the resident memory, in MB. */
const bounds = { probe: 60, growth: 150 }

const config = {
  namespaces: {
    store: {
      inferenceItemMetadata: { type: 'localdb' },
      recommenders: { 'rerank-items': { ranking: { variations: { sessions: { type: 'embedded' } } } } },
      eventTargets: [{ type: 'embedded' }]
    }
  }
}

interface Kind {
  name: string
  path: string
  /** Returns the body of a request. Requests differ, so that none shares the answer of another. */
  body: (n: number) => string | Buffer
  headers?: Record<string, string>
}

const json = { 'content-type': 'application/json' }
const filled = (opening: string, piece: string, closing: string, bytes: number): string => opening + piece.repeat(Math.floor((bytes - opening.length - closing.length) / piece.length)) + closing
const nested = '['.repeat(8 * mebibyte)
const objects = filled('{"items":[{"itemId":"a","properties":{"a":[', '{},', '{}]}}]}', 8 * mebibyte)
const objectsOfEvent = filled('{"userId":"u","eventList":[{"eventType":"v","properties":{"a":[', '{},', '{}]}}]}', mebibyte)
const bareObjects = filled('[', '{},', '{}]', 4 * mebibyte)
const escapes = filled('{"items":[{"itemId":"a","properties":"', '\\u0061', '"}]}', 8 * mebibyte)
const itemIds = Array.from({ length: 500 }, (_, i) => `item-${i}`)
const event = (n: number, i: number): object => ({ eventId: `${n}-${i}-${Math.random()}`, eventType: 'view', itemId: `item-${i % 500}`, sentAt: 1_790_000_000 + i, properties: { page: 'home', text: 'x'.repeat(500) } })
const body = (n: number, user: number, count: number): object => ({ userId: `user-${n}-${user}`, sessionId: `s-${n}-${user}`, eventList: Array.from({ length: count }, (_, i) => event(n, i)) })
const batch = (n: number, users: number): string => JSON.stringify(Array.from({ length: users }, (_, user) => body(n, user, 5_000 / users)))
const itemsBody = (n: number, size = 31_900): string => JSON.stringify({ items: Array.from({ length: 100 }, (_, i) => ({ itemId: `item-${(n * 100 + i) % 500}`, properties: { text: 'x'.repeat(size) } })) })
const manyNumbers = (n: number): string => `{"items":[${Array.from({ length: 100 }, (_, i) => `{"itemId":"n-${n}-${i}","properties":{"a":[${Array(15_900).fill(1).join()}]}}`).join()}]}`

const kinds: Kind[] = [
  { name: 'nested lists, no such namespace', path: '/items/nowhere', body: () => nested },
  { name: 'nested lists', path: '/items/store', body: () => nested },
  { name: 'objects in properties, no such namespace', path: '/items/nowhere', body: () => objects },
  { name: 'objects in properties of an item', path: '/items/store', body: () => objects },
  { name: 'objects in properties of an event', path: '/events/store', body: () => objectsOfEvent },
  { name: 'bare objects in a batch', path: '/events/store/batch', body: () => bareObjects },
  { name: 'a text of escapes', path: '/items/store', body: () => escapes },
  { name: 'bomb', path: '/items/store', body: () => gzipSync(Buffer.alloc(64 * mebibyte, 0x20)), headers: { 'content-encoding': 'gzip' } },
  { name: 'batch: 10 users, 5,000 events', path: '/events/store/batch', body: n => batch(n, 10) },
  { name: 'batch: 500 users, 5,000 events', path: '/events/store/batch', body: n => batch(n, 500) },
  { name: 'batch of lines: 10 users, 5,000 events', path: '/events/store/batch', body: n => (JSON.parse(batch(n, 10)) as object[]).map(line => JSON.stringify(line)).join('\n'), headers: { 'content-type': 'application/x-ndjson' } },
  { name: '500 events', path: '/events/store', body: n => JSON.stringify(body(n, 0, 500)) },
  { name: '100 items of 32 KB', path: '/items/store', body: n => itemsBody(n) },
  { name: '100 items of 15,900 numbers', path: '/items/store', body: manyNumbers },
  { name: 'rerank of 500, 16 MB of metadata', path: '/rerank-items/store/ranking/user-', body: n => JSON.stringify([...itemIds.slice(n), ...itemIds.slice(0, n)]) }
]

const processes = openProcesses('blocking')
try {
  const port = await freePort()
  const configFile = join(processes.folder, 'config.json')
  writeFileSync(configFile, JSON.stringify(config))
  const env = { CONFIG_FILE: configFile, DATA_DIR: join(processes.folder, 'data'), PORT: String(port), HOST: '127.0.0.1', LOG_LEVEL: 'error', OPEN_WRITES: 'true' }
  const server = processes.start(process.execPath, [packagedFile('dist/src/server.js')], { on: 'server', env })
  const url = `http://127.0.0.1:${port}`
  await answering(`${url}/health/ready`, server)
  for (let n = 0; n < 5; n++) await send(url, { name: '', path: '/items/store', body: () => itemsBody(n) }, n)

  const prober = new Worker(new URL('./blocking-probe.js', import.meta.url), { workerData: { url } })
  await sleep(2_000)
  await figures(prober)
  const rows: object[] = []
  const only = process.argv[2]
  for (const kind of kinds.filter(({ name }) => only === undefined || name.includes(only))) {
    for (let round = 0; round < rounds; round++) {
      const requests = Array.from({ length: atOnce }, (_, i) => kind.body(round * atOnce + i))
      await sleep(500)
      await figures(prober)
      const before = memoryOf(server.pid!)
      let most = before
      const watch = setInterval(() => { most = Math.max(most, memoryOf(server.pid!)) }, 20)
      const began = performance.now()
      const statuses = await Promise.all(requests.map(async (request, i) => send(url, { ...kind, body: () => request }, i)))
      const took = performance.now() - began
      clearInterval(watch)
      const { slowest, probes, failed } = await figures(prober)
      rows.push({ body: kind.name, status: [...new Set(statuses)].join(), 'ms in all': Math.round(took), probes, failed, 'slowest probe (ms)': Math.round(slowest), 'growth (MB)': Math.round(most - before), ok: slowest <= bounds.probe && most - before <= bounds.growth })
    }
  }
  console.table(rows)
  await prober.terminate()
} finally {
  await processes.close()
}

/** Sends a request. @returns the status, or the code of the error */
async function send (url: string, { path, body, headers }: Kind, n: number): Promise<number | string> {
  try {
    const response = await fetch(url + (path.endsWith('-') ? path + n : path), { method: 'POST', headers: { ...json, ...headers }, body: body(n) as string, signal: AbortSignal.timeout(60_000) })
    await response.arrayBuffer()
    return response.status
  } catch (error) {
    return ((error as Error).cause as NodeJS.ErrnoException | undefined)?.code ?? String(error)
  }
}

async function figures (prober: Worker): Promise<{ slowest: number, probes: number, failed: number }> {
  prober.postMessage(null)
  const [told] = await once(prober, 'message') as [{ slowest: number, probes: number, failed: number }]
  return told
}

/** Returns the resident memory of a process, in MB. */
function memoryOf (pid: number): number {
  return Number(/^VmRSS:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024
}
