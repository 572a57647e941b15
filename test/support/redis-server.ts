import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import type { Test } from 'tap'
import { eventually } from './eventually.ts'
import { freePort } from './server-process.ts'

export interface RedisServer {
  url: string
  port: number
  /** A connection of the test's own. */
  client: Redis
  /** Ends it with no time to put anything in order, and waits until it is gone. */
  kill: () => Promise<void>
  /** Starts it again, at the same port and with what its persistence has kept; kills it first where it runs. */
  restart: () => Promise<void>
  /** It keeps its connections and answers nothing. */
  pause: () => void
  resume: () => void
}

export interface RedisServerOptions {
  /** What survives a kill: nothing, everything answered, or what was there at the last SAVE. */
  persistence?: 'none' | 'aof' | 'rdb'
  /** A cluster of one node, which refuses what a larger one would. */
  cluster?: boolean
  /** Further arguments of redis-server. */
  more?: string[]
  /** Absent: it runs when this resolves. */
  started?: false
}

const missing = spawnSync('redis-server', ['--version']).error !== undefined

/** Options for a test that needs redis-server: skipped where it is missing, but not where everything must be tested. */
export const needsRedis: { skip?: string } = missing && process.env['CI'] !== 'true' ? { skip: 'redis-server is not installed' } : {}

/** A Redis on a free port. It ends with the test. */
export async function startRedis (t: Test, { persistence = 'none', cluster = false, more = [], started }: RedisServerOptions = {}): Promise<RedisServer> {
  const port = await freePort()
  const dir = mkdtempSync(join(tmpdir(), 'gateway-redis-'))
  const args = [
    '--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--daemonize', 'no', '--loglevel', 'warning', '--save', '',
    '--appendonly', persistence === 'aof' ? 'yes' : 'no',
    ...(cluster ? ['--cluster-enabled', 'yes', '--cluster-port', String(await freePort())] : []),
    ...more
  ]
  const url = `redis://127.0.0.1:${port}`
  const client = new Redis(url, { lazyConnect: true, retryStrategy: attempt => Math.min(10 * attempt, 100), maxRetriesPerRequest: null })
  client.on('error', () => {})
  let child: ChildProcess | undefined

  async function kill (): Promise<void> {
    const running = child
    child = undefined
    if (running === undefined) return
    const gone = once(running, 'close')
    running.kill('SIGKILL')
    await gone
  }

  async function restart (): Promise<void> {
    await kill()
    child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream!.on('data', (chunk: Buffer) => { output += chunk.toString() })
    const starting = child
    await eventually('Redis answers', async () => {
      if (starting.exitCode !== null) throw new Error(`redis-server ended: ${output}`)
      return answers(port)
    })
  }

  t.teardown(async () => {
    client.disconnect()
    child?.kill('SIGCONT')
    await kill()
    rmSync(dir, { recursive: true, force: true })
  })
  if (started !== false) {
    await restart()
    if (cluster) await client.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383')
    if (cluster) await eventually('the cluster is whole', async () => (await client.cluster('INFO')).includes('cluster_state:ok'))
  }
  return { url, port, client, kill, restart, pause: () => child!.kill('SIGSTOP'), resume: () => child!.kill('SIGCONT') }
}

/** Whether it takes commands; one that is still loading what it had does not. */
async function answers (port: number): Promise<boolean> {
  const probe = new Redis(port, '127.0.0.1', { lazyConnect: true, retryStrategy: () => null, commandTimeout: 1_000 })
  probe.on('error', () => {})
  try {
    await probe.connect()
    return await probe.ping() === 'PONG'
  } catch {
    return false
  } finally {
    probe.disconnect()
  }
}
