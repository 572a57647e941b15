import { createServer } from 'node:http'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import type { Test } from 'tap'
import { Agent, request } from 'undici'
import { buildApp } from '../../src/app.ts'
import { fileSource } from '../../src/config/file-source.ts'
import { eventually } from './eventually.ts'
import { listen } from './listen.ts'
import { startServer, type ServerProcess } from './server-process.ts'

export interface CountingOrigin {
  url: string
  /** Number of calls. */
  readonly calls: number
}

/** Starts a recommender that answers with the number of the user's call and its time, in ms of this process. It ends with the test. */
export async function startCountingOrigin (t: Test): Promise<CountingOrigin> {
  const byUser = new Map<string, number>()
  let calls = 0
  const server = createServer((request, response) => {
    const user = request.url!
    const count = (byUser.get(user) ?? 0) + 1
    byUser.set(user, count)
    calls++
    const itemId = `${count}/${performance.now()}`
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ itemList: [{ itemId }] }))
  })
  const url = await listen(t, server)
  return { url, get calls () { return calls } }
}

/** The answer to a read, and the call of the recommender that made it. */
export interface Read {
  status: number
  /** Number of the call, among those for this user. */
  count: number
  /** Time of the call, in ms of this process. */
  madeAt: number
  cacheStatus: string
}

/** A gateway that answers reads and receives events. */
export interface Instance {
  read: (userId: string) => Promise<Read>
  /** @returns the status */
  event: (userId: string) => Promise<number>
}

/** Returns a configuration that caches answers for minutes, so that a test would see an outdated answer. */
function configOf (origin: CountingOrigin): object {
  return {
    cacheControl: { server: { ttl: 300, staleWhileRevalidate: 60 } },
    namespaces: {
      shop: {
        recommenders: {
          'recommend-items': {
            home: {
              resilience: { timeout: 5_000, bulkhead: 10_000 },
              variations: { counted: { type: 'http', url: `${origin.url}/{userId}` } }
            }
          },
          'related-items': { similar: { variations: { counted: { type: 'http', url: `${origin.url}/{itemId}` } } } }
        },
        eventTargets: [{ type: 'embedded' }]
      }
    }
  }
}

function prepare (t: Test, origin: CountingOrigin): { dataDir: string, configFile: string } {
  const dataDir = mkdtempSync(join(tmpdir(), 'gateway-instance-'))
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }))
  const configFile = join(dataDir, 'config.json')
  writeFileSync(configFile, JSON.stringify(configOf(origin)))
  return { dataDir, configFile }
}

/** Starts a gateway in its own process. It ends with the test. */
export async function startInstance (t: Test, origin: CountingOrigin, redisUrl: string): Promise<Instance & { process: ServerProcess }> {
  const { dataDir, configFile } = prepare(t, origin)
  const process = await startServer(t, { DATA_DIR: dataDir, CONFIG_FILE: configFile, REDIS_URL: redisUrl })
  const { url } = process
  const dispatcher = new Agent({ connections: 200 })
  t.teardown(async () => dispatcher.destroy())
  return {
    process,
    async read (userId) {
      const { statusCode, headers, body } = await request(`${url}/recommend-items/shop/home/${userId}`, { dispatcher })
      return readOf(statusCode, headers['cache-status'], await body.text())
    },
    async event (userId) {
      const { statusCode, body } = await request(`${url}/events/shop`, { dispatcher, method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(eventOf(userId)) })
      await body.dump()
      return statusCode
    }
  }
}

/** Starts a gateway in this process, and exposes its application. It ends with the test. */
export async function buildInstance (t: Test, origin: CountingOrigin, redisUrl: string): Promise<Instance & { app: FastifyInstance }> {
  const { dataDir, configFile } = prepare(t, origin)
  const app = await buildApp({ source: fileSource(configFile), dataDir, redisUrl, logger: pino({ level: 'silent' }) })
  t.teardown(async () => app.close())
  await app.ready()
  await app.config.loaded
  return {
    app,
    async read (userId) {
      const { statusCode, headers, body } = await app.inject(`/recommend-items/shop/home/${userId}`)
      return readOf(statusCode, headers['cache-status'], body)
    },
    event: async userId => (await app.inject({ method: 'POST', url: '/events/shop', payload: eventOf(userId) })).statusCode
  }
}

/** Returns the time until one instance reads from Redis an answer that the other instance made, in ms. */
export async function sharesAgain (a: Instance, b: Instance): Promise<number> {
  const from = performance.now()
  let i = 0
  await eventually('the tier is in use again', async () => {
    const user = `back-${from}-${i++}`
    await a.read(user)
    return (await b.read(user)).cacheStatus.startsWith('gateway-redis; hit')
  })
  return Math.round(performance.now() - from)
}

function eventOf (userId: string): object {
  return { userId, sessionId: `session-${userId}`, eventList: [{ eventType: 'view', itemId: 'an-item' }] }
}

function readOf (status: number, cacheStatus: unknown, body: string): Read {
  const [item] = (JSON.parse(body) as { itemList?: Array<{ itemId: string }> }).itemList ?? []
  const [count = NaN, madeAt = NaN] = item?.itemId.split('/').map(Number) ?? []
  return { status, count, madeAt, cacheStatus: String(cacheStatus) }
}
