import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import type { Test } from 'tap'
import { freePort } from '../../bench/free-port.ts'
import { eventually } from './eventually.ts'

export interface RedisServer {
  url: string
  port: number
  /** A connection for the test. */
  client: Redis
  /** Kills the server without a shutdown, and waits until it has ended. */
  kill: () => Promise<void>
  /** Kills the server if it runs, and starts it again on the same port, with its persisted data. */
  restart: () => Promise<void>
  /** Suspends the server: it keeps its connections and answers nothing. */
  pause: () => void
  resume: () => void
}

export interface RedisServerOptions {
  /** The data that survives a kill: none, all acknowledged writes, or the last SAVE. */
  persistence?: 'none' | 'aof' | 'rdb'
  /** Runs a cluster of one node, which refuses the same commands as a larger cluster. */
  cluster?: boolean
  /** Further arguments of redis-server. */
  more?: string[]
  /** False: does not start the server. */
  started?: false
}

const missing = spawnSync('redis-server', ['--version']).error !== undefined

/** Options of a test that needs redis-server. The test is skipped if the program is missing, unless `CI` is true. */
export const needsRedis: { skip?: string } = missing && process.env['CI'] !== 'true' ? { skip: 'redis-server is not installed' } : {}

/** Starts a Redis server on a free port. It ends with the test. */
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

/** Returns whether the server accepts commands. While it loads its persisted data, it does not. */
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
