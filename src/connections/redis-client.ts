import { EventEmitter, once } from 'node:events'
import { isIP } from 'node:net'
import { Cluster, Command, Redis, type RedisOptions } from 'ioredis'
import { UserError } from '../base/user-error.ts'
import { mismatchOf } from './redis-mismatch.ts'
import { causeOf, isDenied, isVague, tellOnce } from './redis-problems.ts'

/** Sends commands to one server, or to the nodes of a cluster by the slots of their keys. */
export type RedisCommands = Redis | Cluster

/** A client of Redis that reconnects after a failover, and becomes a cluster client if the server is a node of a cluster. */
export interface RedisClient {
  /**
   * Sends commands. Read this property for each command: the object changes when the client finds that the server is in a cluster.
   * Without a connection, each command fails at once.
   */
  readonly commands: RedisCommands
  /** Whether there is a connection, the server has said whether it is in a cluster, and it has loaded its data. */
  readonly ready: boolean
  /** Whether the server is a node of a cluster, even if it is the only node. */
  readonly isCluster: boolean
  /** Waits until the client can send commands, at most `within` ms. @returns whether the client can send commands */
  untilReady: (within?: number) => Promise<boolean>
  /** `ready`: the client can send commands. `close`: the connection (of a cluster: every connection) broke, and the client reconnects. */
  on: (event: 'ready' | 'close', listener: () => void) => void
  /**
   * Calls the listener for each failed attempt to connect, with the time at which the attempt began (`performance.now()`), and for each
   * connection that broke, with the time of the break.
   */
  onFailed: (listener: (began: number) => void) => void
  /** The last error, which says why there is no connection; undefined while there is one. */
  readonly problem: unknown
  /**
   * Returns a separate connection, not connected yet, to the server that owns a key or a sharded channel. It does not reconnect after
   * it breaks. Returns undefined while the owner is unknown.
   */
  connectToOwner: (key: string) => Redis | undefined
  /** Starts to read again from the cluster which node owns which slot. */
  refresh: () => void
  /** Passes an error to `onProblem`, once, if the operator has to correct its cause. */
  report: (error: unknown) => void
  /** Ends all connections. The client does not reconnect. */
  close: () => void
}

export interface RedisClientOptions {
  /** The timeout of a command, in ms. A blocking command needs a separate client. */
  commandTimeout: number
  /** Receives each problem that the operator has to correct, once: a missing permission, a wrong password. */
  onProblem: (problem: Error) => void
  /** The client replaces a connection on which a command gets no answer for this time, in ms. */
  socketTimeout?: number
  /** The longest pause before the client reconnects, in ms. */
  longestPause?: number
  connectTimeout?: number
  /** The interval at which the client of a cluster reads the owners of slots without a cause, in ms. */
  slotsRefreshInterval?: number
}

/** Replies of a server that cannot take the command now. After a failover, the address may lead to another server. */
const elsewhere = /^(?:READONLY|LOADING|MASTERDOWN|CLUSTERDOWN|NOREPLICAS)\b/

/** The shortest interval at which the client looks whether it speaks to a server in the wrong manner, in ms. */
const mismatchInterval = 5_000

/**
 * Opens a client for a `redis://` or `rediss://` URL. It returns at once: the client connects, and reconnects, in the background.
 * The client becomes a cluster client if `INFO` (or `CLUSTER INFO`, where the user may not run `INFO`) says that the server is a node of
 * a cluster, or if the server redirects a command. It then asks the server for the other nodes, and uses database 0, whatever the URL says.
 */
export function openRedis (url: string, { commandTimeout, onProblem, socketTimeout = commandTimeout + 250, longestPause = 500, connectTimeout = 1_000, slotsRefreshInterval = 5_000 }: RedisClientOptions): RedisClient {
  const events = new EventEmitter<{ ready: [], close: [], failed: [began: number] }>()
  events.setMaxListeners(0)
  const report = tellOnce(onProblem)
  const resilience = {
    commandTimeout,
    connectTimeout,
    disconnectTimeout: 100,
    // Without it, a dead connection would fail only after minutes, and the commands written to it would stay in memory.
    socketTimeout,
    maxRetriesPerRequest: 0,
    // `greet` checks instead. The check of ioredis writes to the console if the user may not run INFO.
    enableReadyCheck: false,
    autoResubscribe: false,
    // The client info needs a permission of its own, and the gateway does not use it.
    disableClientInfo: true,
    reconnectOnError: (error: Error) => {
      report(error)
      if (error.message.startsWith('MOVED') && server === commands) queueMicrotask(becomeCluster)
      // In a cluster, the nodes redirect the command to the right node.
      return (commands === server ? elsewhere : /^READONLY\b/).test(error.message) && mayMove()
    }
  } satisfies RedisOptions
  let attempts = 0
  let connectingSince = performance.now()
  let problem: unknown
  /** Found after attempts that failed without a reason; kept until a connection works. */
  let mismatch: Error | undefined
  let lookedAt = -Infinity
  let movedAt = -Infinity
  let greeted = false
  let closed = false
  let isCluster = false
  let server = openServer()
  let commands: RedisCommands = server
  let refreshing: NodeJS.Timeout | undefined

  /** Returns whether to reconnect now. It limits the rate, as the address may lead to the same refusing server for a while. */
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
    // Without a listener, the event would end the process. Commands report a missing connection as well.
    opened.on('error', note)
    opened.on('connecting', () => { connectingSince = performance.now() })
    opened.on('ready', () => { void greet(opened) })
    opened.on('close', () => { if (opened === commands) broke() })
    return opened
  }

  /** Finds out whether a new connection leads to a cluster and whether its server has loaded its data, before the client uses it. */
  async function greet (opened: Redis): Promise<void> {
    try {
      const is = await whatIs(opened)
      if (opened !== commands || closed) return
      if (is.loading) throw new Error('it is loading its data')
      isCluster = is.cluster
      // A node without other nodes does not know its own address. Once it has others, it redirects commands, and the client adapts.
      if (is.cluster && !is.alone) becomeCluster()
      else isThere()
    } catch (error) {
      problem = causeOf(error)
      if (opened.status === 'ready') opened.disconnect(true)
    }
  }

  function becomeCluster (): void {
    if (closed || server !== commands) return
    if ((server.options.db ?? 0) > 0) report(new UserError(`REDIS_URL names database ${server.options.db}, but the server is a cluster, which has only database 0; the gateway uses that`))
    const cluster = openCluster(server.options)
    commands = cluster
    clearInterval(refreshing)
    refreshing = setInterval(() => { cluster.refreshSlotsCache() }, slotsRefreshInterval)
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

  /** Goes back to a client of one server, after the address has come to lead to a server outside of any cluster. */
  function becomeServer (cluster: Cluster): void {
    commands = server = openServer()
    clearInterval(refreshing)
    cluster.disconnect()
    lost()
  }

  function openCluster ({ host = 'localhost', port = 6379, username, password, tls, family }: RedisOptions): Cluster {
    // TLS compares the certificate with the name of the node, or with the name in the URL if the cluster knows its nodes by addresses.
    const securely = (node: string): object => tls === undefined ? {} : { tls: servername(node, host) }
    return new Cluster([{ host, port, ...securely(host) }], {
      clusterRetryStrategy: retryStrategy,
      enableReadyCheck: false,
      // If a node redirects a part of an automatic pipeline, ioredis does not repeat that part.
      enableAutoPipelining: false,
      // The server may have executed the command already, so ioredis must not repeat it.
      retryDelayOnFailover: 0,
      // If `disconnect` meets a refresh under way, the interval of ioredis goes on for ever. This client has its own.
      slotsRefreshInterval: 0,
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
    problem = mismatch = undefined
    greeted = true
    events.emit('ready')
  }

  function note (error: unknown): void {
    const cause = causeOf(error)
    // That there is no connection says less than the reason that is known already.
    if (problem === undefined || !isVague(cause) || isVague(problem)) problem = cause
    report(error)
  }

  /** Looks, from time to time, for a reason that the client itself does not see. */
  async function lookForMismatch (): Promise<void> {
    if (closed || server !== commands || !isVague(problem) || performance.now() - lookedAt < mismatchInterval) return
    lookedAt = performance.now()
    const found = await mismatchOf(url)
    if (!greeted) mismatch = found
  }

  function broke (): void {
    problem ??= Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' })
    events.emit('failed', greeted ? performance.now() : connectingSince)
    if (!greeted) void lookForMismatch()
    lost()
  }

  function lost (): void {
    if (!greeted) return
    greeted = false
    events.emit('close')
  }

  const client: RedisClient = {
    // A cluster without connections would queue commands without an end. `server` has ended by then and rejects them at once.
    get commands () { return commands.status === 'ready' ? commands : server },
    get ready () { return greeted && commands.status === 'ready' },
    get isCluster () { return isCluster },
    async untilReady (within = 1_000) {
      if (!client.ready) await once(events, 'ready', { signal: AbortSignal.timeout(within) }).catch(() => {})
      return client.ready
    },
    on (event, listener) { events.on(event, listener) },
    onFailed (listener) { events.on('failed', listener) },
    get problem () { return isVague(problem) ? mismatch ?? problem : problem },
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
      clearInterval(refreshing)
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

/** Returns the name that TLS asks for and compares the certificate with: the first host that is not an IP address. */
function servername (...hosts: string[]): { servername?: string } {
  const name = hosts.find(host => isIP(host.replace(/^\[|\]$/g, '')) === 0)
  return name === undefined ? {} : { servername: name }
}
