/** The gateways and the measurements of bench/events-announce.ts. */
import type { ChildProcess } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { linkTag } from '../src/cache/epochs.ts'
import type { EventsLoad, EventsTaken } from './events-load.ts'
import { serverFile } from './events-servers.ts'
import { freePort } from './free-port.ts'
import { answering, type Processes } from './hits-processes.ts'
import { readCpu } from './soak-watch.ts'

export interface Gateway {
  port: number
  child: ChildProcess
}

export interface RedisProcess {
  port: number
  child: ChildProcess
}

/** A load, and the CPU time per accepted event, in µs. */
export interface Loaded extends EventsTaken {
  gatewayCpu: number
  redisCpu: number
}

/** Messages per accepted event. */
export interface Messages {
  published: number
  /** A message to all instances counts once for each. */
  delivered: number
}

export async function startRedis (processes: Processes): Promise<RedisProcess> {
  const port = await freePort()
  const child = processes.start('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--loglevel', 'warning'])
  const client = new Redis(port, '127.0.0.1', { maxRetriesPerRequest: null, retryStrategy: () => 20 })
  client.on('error', () => {})
  await client.ping()
  client.disconnect()
  return { port, child }
}

/** Starts a gateway with an event target in its own process. @param redis absent: the gateway works without Redis */
export async function startGateway (processes: Processes, redis?: RedisProcess): Promise<Gateway> {
  const port = await freePort()
  const folder = join(processes.folder, `gateway-${port}`)
  const configFile = join(folder, 'config.json')
  mkdirSync(folder)
  writeFileSync(configFile, JSON.stringify({
    cacheControl: { server: { ttl: 300 } },
    namespaces: { shop: { recommenders: {}, eventTargets: [{ type: 'embedded' }] } }
  }))
  const env = {
    CONFIG_FILE: configFile,
    DATA_DIR: folder,
    PORT: String(port),
    HOST: '127.0.0.1',
    LOG_LEVEL: 'error',
    ACCESS_LOG: 'errors',
    ...(redis === undefined ? {} : { REDIS_URL: `redis://127.0.0.1:${redis.port}` })
  }
  const child = processes.start(process.execPath, [serverFile], { env })
  await answering(`http://127.0.0.1:${port}/health/ready`, child)
  if (redis !== undefined) await leased(port)
  return { port, child }
}

/** Resolves when an instance holds a lease. From then on, the others wait for its confirmations. */
async function leased (port: number): Promise<void> {
  for (let i = 0; i < 200; i++) {
    const { redis } = await (await fetch(`http://127.0.0.1:${port}/health/ready`)).json() as { redis?: { state: string } }
    if (redis?.state === 'leased') return
    await sleep(50)
  }
  throw new Error('a gateway does not hear the announcements')
}

/** Sends single events of many users, spread evenly over the gateways. @throws if one is not accepted */
export async function send (processes: Processes, gateways: readonly Gateway[], load: Pick<EventsLoad, 'connections' | 'seconds' | 'rate'>, redis?: RedisProcess): Promise<Loaded> {
  const whole: EventsLoad = { ...load, ports: gateways.map(({ port }) => port), path: '/events/shop', bodies: 0, events: 1 }
  const before = cpuOf(gateways, redis)
  const taken = JSON.parse(await processes.run(process.execPath, [join(import.meta.dirname, 'events-load.js'), JSON.stringify(whole)])) as EventsTaken
  const after = cpuOf(gateways, redis)
  if (Object.keys(taken.statuses).some(status => status !== '200') || taken.unanswered > 0) {
    throw new Error(`not all was accepted: ${JSON.stringify(taken.statuses)}, ${taken.unanswered} unanswered`)
  }
  const perEvent = (ms: number): number => ms * 1_000 / taken.accepted
  return { ...taken, gatewayCpu: perEvent(after.gateways - before.gateways), redisCpu: perEvent(after.redis - before.redis) }
}

/** Returns the CPU time that idle instances and Redis take for claims and checks, in ms per second. */
export async function idleCpu (gateways: readonly Gateway[], redis: RedisProcess, seconds: number): Promise<Record<'gateways' | 'redis', number>> {
  const before = cpuOf(gateways, redis)
  await sleep(seconds * 1_000)
  const after = cpuOf(gateways, redis)
  return { gateways: (after.gateways - before.gateways) / seconds, redis: (after.redis - before.redis) / seconds }
}

/** Counts announcements and confirmations while events are sent. The extra listener costs time, so this run has no other result. */
export async function countMessages (redis: RedisProcess, instances: number, load: () => Promise<EventsTaken>): Promise<Messages> {
  const listener = new Redis(redis.port, '127.0.0.1')
  const shared = `${linkTag}:events`
  let [announcements, confirmations] = [0, 0]
  listener.on('pmessage', (_pattern: string, channel: string, message: string) => {
    if (channel !== shared) confirmations++
    else if (message.split(' ', 2)[1] === 'event') announcements++
  })
  try {
    await listener.psubscribe(`${shared}*`)
    const { accepted } = await load()
    return { published: (announcements + confirmations) / accepted, delivered: (announcements * instances + confirmations) / accepted }
  } finally {
    listener.disconnect()
  }
}

function cpuOf (gateways: readonly Gateway[], redis: RedisProcess | undefined): Record<'gateways' | 'redis', number> {
  const gatewaysCpu = gateways.reduce((sum, { child }) => sum + readCpu(child.pid!), 0)
  return { gateways: gatewaysCpu, redis: redis === undefined ? 0 : readCpu(redis.child.pid!) }
}
