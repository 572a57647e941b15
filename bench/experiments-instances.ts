/**
 * Do counts survive? Three gateways share one Redis. 50,000 visitors get a list each, and then click on it, with the id of the list: 100,000
 * exposures and conversions. Meanwhile one gateway is killed, and Redis is killed and started again with its data. What fails is sent
 * again, to another gateway, with the same ids.
 *   node dist/bench/experiments-instances.js [--visitors 50000]
 * Promised: the counts equal what was acknowledged, and nothing counts twice. An exposure without a conversion may be lost if its gateway
 * is killed within 20 ms.
 */
import type { ChildProcess } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Redis } from 'ioredis'
import { Agent, request } from 'undici'
import { createRedisTally } from '../src/experiments/tally/redis.ts'
import { startTestedGateway } from './experiments-gateway.ts'
import { freePort } from './free-port.ts'
import { installed, openProcesses } from './hits-processes.ts'
import { startOrigin } from './hits-servers.ts'

const { values } = parseArgs({ options: { visitors: { type: 'string', default: '50000' } } })
const visitors = Number(values.visitors)
const atOnce = 64
const mostTries = 100

if (!installed('redis-server')) {
  console.error('this benchmark needs redis-server: apt-get install redis-server')
  process.exit(1)
}
const processes = openProcesses('experiments')
const origin = await startOrigin()
try {
  await main()
} finally {
  origin.close()
  await processes.close()
}

async function startRedis (port: number): Promise<ChildProcess> {
  const child = processes.start('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--dir', processes.folder, '--save', '', '--appendonly', 'yes', '--appendfsync', 'always', '--loglevel', 'warning'])
  const client = new Redis({ port, lazyConnect: true, retryStrategy: () => null })
  client.on('error', () => {})
  for (let tries = 0; ; tries++) {
    try {
      await client.connect()
      await client.ping()
      client.disconnect()
      return child
    } catch (error) {
      if (tries === mostTries) throw error
      await sleep(50)
    }
  }
}

async function startGateway (n: number, redisPort: number): Promise<{ url: string, child: ChildProcess }> {
  const { port, child } = await startTestedGateway(processes, `gateway-${n}`, {
    originPort: origin.port,
    experiments: { test: { method: 'weighted', weights: { a: 1, b: 1 }, metrics: { ctr: { event: 'click' }, value: { event: 'click', value: 'eventValue' } } } },
    eventTargets: [{ type: 'embedded' }],
    more: { resilience: { bulkhead: 1000, timeout: 5000 } },
    env: { REDIS_URL: `redis://127.0.0.1:${redisPort}` }
  })
  return { url: `http://127.0.0.1:${port}`, child }
}

async function main (): Promise<void> {
  const redisPort = await freePort()
  let redis = await startRedis(redisPort)
  const gateways = await Promise.all([0, 1, 2].map(async n => startGateway(n, redisPort)))
  const dispatcher = new Agent({ connections: atOnce })
  const acknowledged = { a: 0, b: 0 }
  let next = 0
  let retries = 0

  /** Sends a request to one gateway after the other until it is answered with 200. */
  async function send (visitor: number, path: string, body?: object): Promise<{ headers: Record<string, unknown>, body: Record<string, unknown> }> {
    for (let tries = 0; ; tries++) {
      const { url } = gateways[(visitor + tries) % gateways.length]!
      try {
        const answer = await request(url + path, { dispatcher, ...(body === undefined ? {} : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }) })
        const text = await answer.body.text()
        if (answer.statusCode === 200) return { headers: answer.headers, body: JSON.parse(text) as Record<string, unknown> }
      } catch (error) {
        if (tries === mostTries) throw error
      }
      retries++
      if (tries === mostTries) throw new Error(`${path} is not answered`)
      await sleep(50)
    }
  }

  async function visit (): Promise<void> {
    while (next < visitors) {
      const visitor = next++
      const userId = `visitor-${visitor}`
      const { headers, body: { recommendationId } } = await send(visitor, `/recommend-items/bench/home/${userId}?numResults=2`)
      await send(visitor + 1, '/events/bench', { userId, eventList: [{ eventType: 'click', itemId: 'outdoor-item-1000', eventId: `click-${visitor}`, eventValue: 1 + visitor % 7, recommendationId }] })
      acknowledged[headers['x-personalization-variation'] as 'a' | 'b']++
    }
  }

  const began = performance.now()
  const visiting = Promise.all(Array.from({ length: atOnce }, visit))
  const reached = async (share: number): Promise<void> => {
    for (; ;) {
      if (next >= visitors * share) return
      await sleep(20)
    }
  }
  await reached(0.3)
  gateways[0]!.child.kill('SIGKILL')
  await reached(0.6)
  redis.kill('SIGKILL')
  await sleep(300)
  redis = await startRedis(redisPort)
  await visiting
  const client = new Redis({ port: redisPort })
  // Entries that could not be counted during the outage are counted within a second after it.
  await sleep(2_000)
  const { users, metrics, multiple, unexposed } = await createRedisTally({ run: async command => command(client) }).read('bench/recommend-items/home/test')
  const bytes = /used_memory:(\d+)/.exec(await client.info('memory'))![1]!
  client.disconnect()
  console.table(Object.fromEntries((['a', 'b'] as const).map(name => [name, {
    'visitors acknowledged': acknowledged[name],
    'exposed, counted': users.get(name),
    'converted, counted': metrics.get('ctr')?.get(name)?.converted,
    'conversions, summed': metrics.get('ctr')?.get(name)?.sum
  }])))
  const sum = (metrics.get('value')?.get('a')?.sum ?? 0) + (metrics.get('value')?.get('b')?.sum ?? 0)
  const expected = Array.from({ length: visitors }, (_, visitor) => 1 + visitor % 7).reduce((all, value) => all + value, 0)
  console.table({ all: { seconds: Math.round((performance.now() - began) / 1000), retries, 'sum of values': sum, expected, 'in two variations': multiple, unexposed: unexposed.get('ctr') ?? 0, 'Redis, MB': Math.round(Number(bytes) / 1e6), 'MB for a million visitors': Math.round(Number(bytes) / visitors) } })
  await dispatcher.destroy()
}
