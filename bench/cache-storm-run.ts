/** One run of bench/cache-storm.ts. */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { Agent, request } from 'undici'
import { serverFile } from './events-servers.ts'
import { freePort } from './free-port.ts'
import { answering, openProcesses, type Processes } from './hits-processes.ts'
import { createRandom } from './soak-traffic.ts'

export interface StormOptions {
  reads: number
  events: number
  users: number
  /** How many of the operations are under way at once. */
  clients: number
  seed: number
  /** Whether processes are stopped and listeners are cut meanwhile. */
  disturbed: boolean
  /** How Redis is restarted, spread evenly over the run. */
  restarts: ReadonlyArray<'with its data' | 'without its data'>
}

export interface StormReport {
  /** Calls of the provider. */
  calls: number
  seconds: number
  /** Requests that were answered with another status than 200. */
  failed: string[]
  /** Lists that were made before their user's last acknowledged event was sent. */
  violations: string[]
  hits: Record<string, number>
  pauses: number
  cuts: number
}

const instanceCount = 3

/** Reads and sends events at three gateways with one Redis, in random order, and checks every list against its user's last event. */
export async function storm (options: StormOptions): Promise<StormReport> {
  const { reads, events, users, clients, seed, disturbed, restarts } = options
  const processes = openProcesses('cache-storm')
  const random = createRandom(seed)
  const report: StormReport = { calls: 0, seconds: 0, failed: [], violations: [], hits: {}, pauses: 0, cuts: 0 }
  const origin = createServer((_request, response) => {
    report.calls++
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ itemList: [{ itemId: String(performance.now()) }] }))
  }).listen(0, '127.0.0.1')
  const dispatcher = new Agent({ connections: 200 })
  try {
    await once(origin, 'listening')
    const redis = await startRedis(processes)
    const gateways = await Promise.all(Array.from({ length: instanceCount }, async (_, i) => startGateway(processes, i, (origin.address() as AddressInfo).port, redis.url)))
    const disturbance = disturbed ? disturb(gateways, redis, createRandom(seed + 1), report) : undefined
    const began = performance.now()
    await run(gateways.map(({ url }) => url))
    report.seconds = (performance.now() - began) / 1000
    await disturbance?.end()
    redis.close()
    return report

    async function run (urls: readonly string[]): Promise<void> {
      const operations = shuffled([...Array<'read'>(reads).fill('read'), ...Array<'event'>(events).fill('event')], random)
      const restartAt = new Map(restarts.map((how, i) => [Math.floor(operations.length * (i + 1) / (restarts.length + 1)), how]))
      const notBefore = new Map<string, number>()
      let restarting: Promise<void> | undefined
      await Promise.all(Array.from({ length: clients }, async () => {
        for (let operation = operations.pop(); operation !== undefined; operation = operations.pop()) {
          const how = restartAt.get(operations.length)
          if (how !== undefined) restarting = redis.restart(how)
          const user = `user-${Math.floor(random() * users)}`
          const url = urls[Math.floor(random() * urls.length)]!
          if (operation === 'read') await read(url, user, notBefore.get(user) ?? 0)
          else await send(url, user, notBefore)
        }
      }))
      await restarting
    }

    async function read (url: string, user: string, notBefore: number): Promise<void> {
      const { statusCode, headers, body } = await request(`${url}/recommend-items/shop/home/${user}`, { dispatcher })
      const text = await body.text()
      const status = String(headers['cache-status']).split(';', 2).join(';').replace(/ ttl.*/, '')
      report.hits[status] = (report.hits[status] ?? 0) + 1
      if (statusCode !== 200) report.failed.push(`${statusCode} ${text}`)
      const madeAt = Number((JSON.parse(text) as { itemList?: Array<{ itemId: string }> }).itemList?.[0]?.itemId)
      if (madeAt < notBefore) report.violations.push(`${user}: ${Math.round(notBefore - madeAt)} ms before the event, ${String(headers['cache-status'])}`)
    }

    async function send (url: string, userId: string, notBefore: Map<string, number>): Promise<void> {
      const sentAt = performance.now()
      const { statusCode, body } = await request(`${url}/events/shop`, {
        dispatcher, method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ userId, sessionId: userId, eventList: [{ eventType: 'view', itemId: 'an-item' }] })
      })
      const text = await body.text()
      if (statusCode === 200) notBefore.set(userId, Math.max(sentAt, notBefore.get(userId) ?? 0))
      else report.failed.push(`${statusCode} ${text}`)
    }
  } finally {
    await dispatcher.destroy()
    origin.closeAllConnections()
    origin.close()
    await processes.close()
  }
}

interface Gateway {
  url: string
  child: ChildProcess
}

async function startGateway (processes: Processes, i: number, originPort: number, redisUrl: string): Promise<Gateway> {
  const folder = join(processes.folder, `gateway-${i}`)
  mkdirSync(folder)
  const configFile = join(folder, 'config.json')
  writeFileSync(configFile, JSON.stringify({
    cacheControl: { server: { ttl: 300, staleWhileRevalidate: 60 } },
    namespaces: {
      shop: {
        recommenders: { 'recommend-items': { home: { resilience: { timeout: 5_000, bulkhead: 10_000 }, variations: { origin: { type: 'http', url: `http://127.0.0.1:${originPort}/{userId}` } } } } },
        eventTargets: [{ type: 'embedded' }]
      }
    }
  }))
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const child = processes.start(process.execPath, [serverFile], { env: { PORT: String(port), HOST: '127.0.0.1', DATA_DIR: folder, CONFIG_FILE: configFile, REDIS_URL: redisUrl, LOG_LEVEL: 'error' } })
  await answering(`${url}/health/ready`, child)
  return { url, child }
}

interface RedisProcess {
  url: string
  /** Ends every connection that listens. */
  cut: () => Promise<void>
  /** Kills it and starts it again. */
  restart: (how: StormOptions['restarts'][number]) => Promise<void>
  close: () => void
}

async function startRedis (processes: Processes): Promise<RedisProcess> {
  const port = await freePort()
  const data = join(processes.folder, 'redis')
  mkdirSync(data)
  const client = new Redis(port, '127.0.0.1', { lazyConnect: true, maxRetriesPerRequest: null, retryStrategy: () => 20 })
  client.on('error', () => {})
  const start = async (): Promise<ChildProcess> => {
    const child = processes.start('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--dir', data, '--save', '', '--appendonly', 'yes', '--loglevel', 'warning'])
    await client.ping()
    return child
  }
  let child = await start()
  return {
    url: `redis://127.0.0.1:${port}`,
    async cut () { await client.call('CLIENT', 'KILL', 'TYPE', 'pubsub') },
    async restart (how) {
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
      if (how === 'without its data') {
        rmSync(data, { recursive: true })
        mkdirSync(data)
      }
      await sleep(200)
      child = await start()
    },
    close () { client.disconnect() }
  }
}

/** Stops each gateway for 100 to 2,000 ms now and then, and cuts the listeners. */
function disturb (gateways: readonly Gateway[], redis: RedisProcess, random: () => number, report: StormReport): { end: () => Promise<void> } {
  const over = new AbortController()
  const repeat = async (pause: () => number, action: () => Promise<void>): Promise<void> => {
    while (!over.signal.aborted) {
      await sleep(pause())
      if (!over.signal.aborted) await action()
    }
  }
  const all = [
    ...gateways.map(async ({ child }) => repeat(() => 500 + 4_000 * random(), async () => {
      report.pauses++
      child.kill('SIGSTOP')
      await sleep(100 + 1_900 * random())
      child.kill('SIGCONT')
    })),
    repeat(() => 200 + 1_500 * random(), async () => {
      report.cuts++
      await redis.cut().catch(() => {})
    })
  ]
  return {
    async end () {
      over.abort()
      await Promise.all(all)
    }
  }
}

function shuffled<T> (values: T[], random: () => number): T[] {
  for (let i = values.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    ;[values[i], values[j]] = [values[j]!, values[i]!]
  }
  return values
}
