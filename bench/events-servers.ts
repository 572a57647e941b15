/** The servers that bench/events.ts compares, and their targets. Run by itself, this file is the bare server: `events-servers.js PORT`. */
import type { ChildProcess } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Fastify from 'fastify'
import Type from 'typebox'
import { EventsBodySchema, type EventsBody } from '../src/targets/event.ts'
import { targetNames, type TargetName } from './events-stub.ts'
import { freePort } from './free-port.ts'
import { answering, type Processes } from './hits-processes.ts'

export interface RunningServer {
  name: string
  port: number
  child: ChildProcess
}

/** The gateway's server file, in the build that this file is part of. */
export const serverFile = join(import.meta.dirname, '../src/server.js')

/** The targets of each namespace: those that take records of many users in one call, those of AWS, and all of them. */
export const targetsOf = {
  streams: ['kinesis-stream', 'kinesis-firehose', 'http'],
  aws: ['personalize-event-tracker', 'kinesis-stream', 'kinesis-firehose'],
  all: targetNames
} as const satisfies Record<string, readonly TargetName[]>

export type BenchNamespace = keyof typeof targetsOf

function configOf (targetsPort: number): object {
  const settings: Record<TargetName, object> = {
    'personalize-event-tracker': { trackingId: 'bench' },
    'kinesis-stream': { streamName: 'bench' },
    'kinesis-firehose': { streamName: 'bench' },
    http: { url: `http://127.0.0.1:${targetsPort}/hook` }
  }
  const namespaces = Object.entries(targetsOf).map(([name, targets]) => [name, { recommenders: {}, eventTargets: targets.map(type => ({ type, ...settings[type] })) }])
  return { namespaces: Object.fromEntries(namespaces) as object }
}

if (process.argv[1] === import.meta.filename) await serveBare(Number(process.argv[2]))

/** Runs a bare Fastify server, which parses and validates the same bodies, and sends the same answer. */
async function serveBare (port: number): Promise<void> {
  const app = Fastify({ ajv: { customOptions: { coerceTypes: false, removeAdditional: false, strict: false } }, keepAliveTimeout: 72_000, bodyLimit: 4 * 1024 * 1024 })
  const targets = Object.fromEntries(targetsOf.streams.map(name => [name, 'delivered']))
  app.get('/health/ready', () => ({}))
  app.post('/events/:namespace', { schema: { body: EventsBodySchema } }, () => ({ targets }))
  app.post<{ Body: EventsBody[] }>('/events/:namespace/batch', {
    schema: { body: Type.Array(EventsBodySchema, { minItems: 1, maxItems: 500 }) }
  }, ({ body }) => ({ results: body.map(() => ({ status: 200, targets })) }))
  await app.listen({ port, host: '127.0.0.1' })
}

export async function startBare (processes: Processes): Promise<RunningServer> {
  const port = await freePort()
  const child = processes.start(process.execPath, [import.meta.filename, String(port)], { on: 'server' })
  await answering(`http://127.0.0.1:${port}/health/ready`, child)
  return { name: 'bare Fastify', port, child }
}

/** Starts the server that stands for the targets, and counts the events that it gets. */
export async function startTargets (processes: Processes): Promise<{ port: number, counts: () => Promise<Record<TargetName, number>> }> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}/counts`
  const child = processes.start(process.execPath, [join(import.meta.dirname, 'events-stub.js'), String(port)], { on: 'client' })
  await answering(url, child)
  return { port, counts: async () => await (await fetch(url)).json() as Record<TargetName, number> }
}

export interface GatewayOptions {
  /** Options of Node.js. */
  flags?: string[]
  on?: 'server'
}

export async function startEventGateway (processes: Processes, targetsPort: number, { flags = [], ...options }: GatewayOptions = {}): Promise<RunningServer> {
  const port = await freePort()
  const file = join(processes.folder, 'config.json')
  writeFileSync(file, JSON.stringify(configOf(targetsPort)))
  const env = {
    CONFIG_FILE: file,
    DATA_DIR: processes.folder,
    PORT: String(port),
    HOST: '127.0.0.1',
    LOG_LEVEL: 'warn',
    ACCESS_LOG: 'errors',
    NODE_NO_WARNINGS: '1',
    AWS_ENDPOINT_URL: `http://127.0.0.1:${targetsPort}`,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local'
  }
  const child = processes.start(process.execPath, [...flags, serverFile], { ...options, env })
  await answering(`http://127.0.0.1:${port}/health/ready`, child)
  return { name: 'gateway', port, child }
}
