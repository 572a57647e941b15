import { EventEmitter, once } from 'node:events'
import { isIP } from 'node:net'
import { Cluster, Command, Redis, type RedisOptions } from 'ioredis'
import { UserError } from '../base/user-error.ts'
import { isDenied, tellOnce } from './redis-problems.ts'

/** Sends commands to one server, or to the nodes of a cluster by the slots of their keys. */
export type RedisCommands = Redis | Cluster

/** A connection to Redis that follows a failover, and becomes the client of a cluster if the server is a node of one. */
export interface RedisClient {
  /**
   * Sends commands. Ask for it each time: it is another object once the server is known to be a cluster. Without a connection, each
   * command fails at once.
   */
  readonly commands: RedisCommands
  /** Whether there is a connection, and the server has said what it is and that its data is loaded. */
  readonly ready: boolean
  /** Whether the server is a node of a cluster, be it the only one. */
  readonly isCluster: boolean
  /** Waits until commands can be sent, `within` ms at most. @returns whether they can */
  untilReady: (within?: number) => Promise<boolean>
  /** `ready`: commands can be sent. `close`: the connection broke, and is made anew; of a cluster: all its connections. */
  on: (event: 'ready' | 'close', listener: () => void) => void
  /** Calls back with each attempt to connect that failed, and each connection that broke, with when the attempt began (`performance.now()`). */
  onFailed: (listener: (began: number) => void) => void
  /** Why there is no connection: the last error; undefined while there is one. */
  readonly problem: unknown
  /**
   * Returns a connection of its own, not connected yet, to the server that owns a key or a sharded channel. It is not made anew when
   * it breaks. Undefined while the owner is not known.
   */
  connectToOwner: (key: string) => Redis | undefined
  /** Asks the cluster again which node owns which slot. */
  refresh: () => void
  /** Tells a problem that the operator has to set right, once. */
  report: (error: unknown) => void
  /** Ends all connections; nothing is connected anew. */
  close: () => void
}

export interface RedisClientOptions {
  /** The most that a command may take, in ms. One that waits for something to come needs a client of its own. */
  commandTimeout: number
  /** Receives, once each, what the operator has to set right: a missing permission, a wrong password. */
  onProblem: (problem: Error) => void
  /** A connection on which a command has no answer for so long, in ms, is made anew. */
  socketTimeout?: number
  /** The longest pause before connecting again, in ms. */
  longestPause?: number
  connectTimeout?: number
}

/** Replies of a server that is not, or not any more, the one to ask: the address may lead to another by now. */
const elsewhere = /^(?:READONLY|LOADING|MASTERDOWN|CLUSTERDOWN|NOREPLICAS)\b/

/** How often the owners of slots are asked for without need, in ms. */
const slotsRefreshInterval = 5_000

/**
 * Opens a client for a `redis://` or `rediss://` URL. It returns at once: the connection is made, and made anew, in the background.
 * A server whose `INFO` (or `CLUSTER INFO`, where the user may not run `INFO`) says that it is a node of a cluster, or that redirects a
 * command, is asked for the other nodes. A client of a cluster uses database 0, whatever the URL says.
 */
export function openRedis (url: string, { commandTimeout, onProblem, socketTimeout = commandTimeout + 250, longestPause = 500, connectTimeout = 1_000 }: RedisClientOptions): RedisClient {
  const events = new EventEmitter<{ ready: [], close: [], failed: [began: number] }>()
  events.setMaxListeners(0)
  const report = tellOnce(onProblem)
  const resilience = {
    commandTimeout,
    connectTimeout,
    disconnectTimeout: 100,
    // A connection that leads nowhere would say so after minutes only, and what was written into it would stay in memory.
    socketTimeout,
    maxRetriesPerRequest: 0,
    // `greet` does that, without a line on the console where INFO is not permitted.
    enableReadyCheck: false,
    autoResubscribe: false,
    // It takes a permission, and nobody needs it.
    disableClientInfo: true,
    reconnectOnError: (error: Error) => {
      report(error)
      if (error.message.startsWith('MOVED') && server === commands) queueMicrotask(becomeCluster)
      // In a cluster, the nodes themselves say who takes the command.
      return (commands === server ? elsewhere : /^READONLY\b/).test(error.message) && mayMove()
    }
  } satisfies RedisOptions
  let attempts = 0
  let connectingSince = performance.now()
  let problem: unknown
  let movedAt = -Infinity
  let greeted = false
  let closed = false
  let isCluster = false
  let server = openServer()
  let commands: RedisCommands = server

  /** While the server that the address leads to says that it is not the one to ask, connecting anew again and again helps nobody. */
  function mayMove (): boolean {
    const now = performance.now()
    if (now - movedAt < longestPause) return false
    movedAt = now
    return true
  }

  function retryStrategy (): number {
    return Math.min(50 * ++attempts, longestPause)
  }

  function openServer (): Redis {
    const { protocol, hostname } = new URL(url)
    const tls = protocol === 'rediss:' ? { tls: servername(hostname) } : {}
    const opened = new Redis(url, { ...resilience, ...tls, enableOfflineQueue: false, enableAutoPipelining: true, retryStrategy })
    // Unheard it would end the process. A connection that is not there, commands say, too.
    opened.on('error', note)
    opened.on('connecting', () => { connectingSince = performance.now() })
    opened.on('ready', () => { void greet(opened) })
    opened.on('close', () => { if (opened === commands) broke() })
    return opened
  }

  /** Asks a server what it is before it is used. */
  async function greet (opened: Redis): Promise<void> {
    try {
      const is = await whatIs(opened)
      if (opened !== commands || closed) return
      if (is.loading) throw new Error('it is loading its data')
      isCluster = is.cluster
      // One that is alone does not even know its own address; once it has others, it redirects commands.
      if (is.cluster && !is.alone) becomeCluster()
      else isThere()
    } catch (error) {
      problem = error
      if (opened.status === 'ready') opened.disconnect(true)
    }
  }

  function becomeCluster (): void {
    if (closed || server !== commands) return
    if ((server.options.db ?? 0) > 0) report(new UserError(`REDIS_URL names database ${server.options.db}, but the server is a cluster, which has only database 0; the gateway uses that`))
    const cluster = openCluster(server.options)
    commands = cluster
    isCluster = true
    server.disconnect()
    lost()
    cluster.on('error', note)
    cluster.on('connecting', () => { connectingSince = performance.now() })
    cluster.on('node error', (error: Error) => {
      note(error)
      if (/cluster support disabled/.test(error.message) && cluster === commands && !closed) becomeServer(cluster)
    })
    cluster.on('ready', () => { if (cluster === commands) isThere() })
    cluster.on('close', () => { if (cluster === commands) broke() })
  }

  /** The address leads to a server outside of any cluster by now. */
  function becomeServer (cluster: Cluster): void {
    commands = server = openServer()
    cluster.disconnect()
    lost()
  }

  function openCluster ({ host = 'localhost', port = 6379, username, password, tls, family }: RedisOptions): Cluster {
    // The certificate is compared with the name of the node; with that of the URL where the cluster knows its nodes by addresses.
    const securely = (node: string): object => tls === undefined ? {} : { tls: servername(node, host) }
    return new Cluster([{ host, port, ...securely(host) }], {
      clusterRetryStrategy: retryStrategy,
      enableReadyCheck: false,
      // Which command went to which node must not matter: an automatic pipeline, of which a part was redirected, is not repeated.
      enableAutoPipelining: false,
      // A command is not repeated that may have been carried out.
      retryDelayOnFailover: 0,
      slotsRefreshInterval,
      dnsLookup: (address, callback) => { callback(null, address) },
      natMap: node => {
        const colon = node.lastIndexOf(':')
        const name = node.slice(0, colon)
        return { host: name, port: Number(node.slice(colon + 1)), ...securely(name) }
      },
      redisOptions: { ...resilience, ...username != null && { username }, ...password != null && { password }, ...tls !== undefined && { tls }, ...family !== undefined && { family } }
    })
  }

  function isThere (): void {
    attempts = 0
    problem = undefined
    greeted = true
    events.emit('ready')
  }

  function note (error: unknown): void {
    problem = error
    report(error)
  }

  function broke (): void {
    events.emit('failed', greeted ? performance.now() : connectingSince)
    lost()
  }

  function lost (): void {
    if (!greeted) return
    greeted = false
    events.emit('close')
  }

  const client: RedisClient = {
    // What is asked of a cluster without connections would wait without an end. The first connection has ended and refuses it.
    get commands () { return commands.status === 'ready' ? commands : server },
    get ready () { return greeted && commands.status === 'ready' },
    get isCluster () { return isCluster },
    async untilReady (within = 1_000) {
      if (!client.ready) await once(events, 'ready', { signal: AbortSignal.timeout(within) }).catch(() => {})
      return client.ready
    },
    on (event, listener) { events.on(event, listener) },
    onFailed (listener) { events.on('failed', listener) },
    get problem () { return problem },
    connectToOwner (key) {
      const options = { retryStrategy: null, lazyConnect: true, enableOfflineQueue: true, enableAutoPipelining: false } satisfies RedisOptions
      if (commands instanceof Redis) return quiet(commands.duplicate(options))
      const owner = commands.slots[new Command('get', [key]).getSlot() ?? 0]?.[0]
      const node = commands.nodes('master').find(({ options: { host, port } }) => `${host}:${port}` === owner)
      return node && quiet(node.duplicate(options))
    },
    refresh () { if (commands instanceof Cluster) commands.refreshSlotsCache() },
    report,
    close () {
      closed = true
      greeted = false
      for (const opened of new Set([server, commands])) opened.disconnect()
    }
  }

  function quiet (opened: Redis): Redis {
    return opened.on('error', report)
  }
  return client
}

async function whatIs (redis: Redis): Promise<{ cluster: boolean, alone: boolean, loading: boolean }> {
  const info = await unlessDenied(redis.info())
  const loading = info !== undefined && /^loading:1/m.test(info)
  if (loading || (info !== undefined && !/^cluster_enabled:1/m.test(info))) return { cluster: false, alone: true, loading }
  const nodes = await unlessDenied(redis.cluster('INFO').catch((error: Error) => {
    if (/cluster support disabled/.test(error.message)) return undefined
    throw error
  }))
  return { cluster: info !== undefined || nodes !== undefined, alone: nodes !== undefined && /^cluster_known_nodes:1\s*$/m.test(nodes), loading }
}

async function unlessDenied<T> (asked: Promise<T>): Promise<T | undefined> {
  return asked.catch((error: unknown) => {
    if (isDenied(error)) return undefined
    throw error
  })
}

/** The name that TLS asks for, and compares the certificate with: the first that is none of an address. */
function servername (...hosts: string[]): { servername?: string } {
  const name = hosts.find(host => isIP(host.replace(/^\[|\]$/g, '')) === 0)
  return name === undefined ? {} : { servername: name }
}
