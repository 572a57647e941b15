import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Agent } from 'undici'
import { seededIds } from './metadata-catalog.ts'
import { currentOf, namespace, originPort, start, startImport } from './metadata-import.ts'

const gatewayPort = 18092
const itemsPerAnswer = 25
/** How long requests are sent before the import starts and after its end, and the longest time in all, in ms. */
const before = 3_000
const after = 4_000
const longest = 180_000
/** The most requests at once. */
const mostPending = 1_000

/** Runs a recommender of random items. */
export function answerItems (count: number): void {
  const random = seededIds(count)
  createServer((_request, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ itemList: random(itemsPerAnswer).map(itemId => ({ itemId })) }))
  }).listen(originPort, '127.0.0.1')
}

/** The import that runs while requests are sent. */
class Importer {
  code: number | null | undefined
  #started = false
  #endedAt = Infinity
  readonly #folder: string
  readonly #file: string

  constructor (folder: string, file: string) {
    this.#folder = folder
    this.#file = file
  }

  startOnce (): void {
    if (this.#started) return
    this.#started = true
    const child = startImport(this.#folder, this.#file)
    child.stderr!.resume()
    void once(child, 'close').then(([code]) => {
      this.code = code as number | null
      this.#endedAt = performance.now()
    })
  }

  get isOver (): boolean {
    return performance.now() > this.#endedAt + after
  }
}

interface Seen {
  requests: number
  'requests a second': number
  failed: number
  'of the old catalog': number
  'of the new catalog': number
  'of both, or undecorated': number
}

/** Imports a second catalog while a gateway serves the first. Each request has a new user, so that each answer is made and decorated. */
export async function measureSwap (folder: string, file: string, { rate, count }: { rate: number, count: number }): Promise<Record<string, unknown>> {
  const children = [
    start('dist/bench/metadata.js', ['origin', '--items', String(count)]),
    start('dist/src/server.js', [], { CONFIG_FILE: join(folder, 'config.json'), DATA_DIR: folder, PORT: String(gatewayPort), HOST: '127.0.0.1', LOG_LEVEL: 'error' })
  ]
  for (const child of children) child.stderr!.pipe(process.stderr)
  const agent = new Agent({ connections: 64 })
  try {
    await answering(agent)
    const old = await currentOf(folder)
    const importer = new Importer(folder, file)
    const { seen, durations } = await load(agent, rate, importer)
    const sorted = durations.toSorted((a, b) => a - b)
    const at = (share: number): string => `${sorted[Math.floor(sorted.length * share)]!.toFixed(1)} ms`
    return {
      ...seen,
      p50: at(0.5),
      p99: at(0.99),
      'exit code of the import': importer.code ?? 'none: still at work',
      'old files': existsSync(old) ? 'still there' : 'gone'
    }
  } finally {
    await agent.destroy()
    for (const child of children) child.kill('SIGKILL')
    await Promise.all(children.map(async child => child.exitCode ?? child.signalCode ?? once(child, 'exit')))
  }
}

/** Sends requests at a steady rate, whether answers come or not. The time of a request counts from when it was due. */
async function load (agent: Agent, rate: number, importer: Importer): Promise<{ seen: Seen, durations: number[] }> {
  const seen: Seen = { requests: 0, 'requests a second': 0, failed: 0, 'of the old catalog': 0, 'of the new catalog': 0, 'of both, or undecorated': 0 }
  const durations: number[] = []
  const pending = new Set<Promise<void>>()
  const started = performance.now()
  for (let i = 0; !importer.isOver && performance.now() - started < longest; i++) {
    const due = started + i * 1000 / rate
    if (performance.now() < due) await sleep(Math.max(0, due - performance.now()))
    if (pending.size >= mostPending) await Promise.race(pending)
    if (due > started + before) importer.startOnce()
    const request = ask(agent, `/recommend-items/${namespace}/home/user-${i}`, seen).then(() => { durations.push(performance.now() - due) })
    pending.add(request)
    void request.finally(() => pending.delete(request))
  }
  await Promise.all(pending)
  seen['requests a second'] = Math.round(seen.requests / (performance.now() - started) * 1000)
  return { seen, durations }
}

interface Decorated {
  itemList: Array<{ metadata?: { v: number, w: number } }>
}

async function ask (agent: Agent, path: string, seen: Seen): Promise<void> {
  seen.requests++
  try {
    const { statusCode, body } = await agent.request({ origin: `http://127.0.0.1:${gatewayPort}`, path, method: 'GET' })
    const text = await body.text()
    if (statusCode !== 200) throw new Error(`answered ${statusCode}`)
    seen[catalogOf(JSON.parse(text) as Decorated)]++
  } catch {
    seen.failed++
  }
}

function catalogOf ({ itemList }: Decorated): Exclude<keyof Seen, 'requests' | 'requests a second' | 'failed'> {
  const isOf = (version: number): boolean => itemList.length === itemsPerAnswer && itemList.every(({ metadata }) => metadata?.v === version && metadata.w === version)
  return isOf(1) ? 'of the old catalog' : isOf(2) ? 'of the new catalog' : 'of both, or undecorated'
}

async function answering (agent: Agent): Promise<void> {
  for (let i = 0; i < 400; i++) {
    const ready = await agent.request({ origin: `http://127.0.0.1:${gatewayPort}`, path: '/health/ready', method: 'GET' }).then(async ({ statusCode, body }) => {
      await body.dump()
      return statusCode === 200
    }, () => false)
    if (ready) return
    await sleep(50)
  }
  throw new Error('the gateway does not answer')
}
