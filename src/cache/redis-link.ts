import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { createAnnouncements } from './announcements.ts'
import { beaconLife, createEpochs, linkTag, type Commands } from './epochs.ts'
import { createOutage } from './outage.ts'
import { NoAnswer, within } from './patience.ts'
import type { CacheStats } from './stats.ts'
import type { LinkState, UserVersions } from './user-versions.ts'

/** The connections of this instance to Redis, with their state, which says how far the instance can rely on them. */
export interface RedisLink {
  /** Whether Redis is expected to answer commands. */
  readonly up: boolean
  readonly state: LinkState
  /** Whether `state` is meaningful. It is not in the first two seconds, until Redis has answered. */
  readonly settled: boolean
  /** The epoch in force. Entries that other instances stored are valid only if they were stored in the same epoch. */
  readonly epoch: string
  /** The reason why Redis does not answer; undefined while it does. */
  readonly problem: unknown
  /**
   * Runs a command.
   * @param within the longest wait, in ms; by default the `patience` of a request
   * @throws the error of Redis, or NoAnswer if it took too long
   */
  run: <T>(command: (redis: Commands) => Promise<T>, within?: number) => Promise<T>
  /**
   * Returns whether the instance can rely on the answers of Redis. Resolves at once, or after one check if the last check is too long ago,
   * as after a pause of the process.
   */
  ensure: () => Promise<boolean>
  /** Returns the epoch in force now; reads it from Redis if this instance may have missed the last one. @throws the error of `run` */
  readEpoch: () => Promise<string>
  /**
   * Announces to all instances an event of a user in a slot. Resolves when no instance serves an answer that misses the event: either
   * `write` has written the user's version and no other instance that missed the announcement holds a lease, or Redis answers no instance
   * and the others will find that out before they rely on it again. Never rejects.
   */
  announce: (slot: number, write: (redis: Commands) => Promise<unknown>) => Promise<void>
  close: () => Promise<void>
}

/** The part of a Redis client that the link needs (see connections/redis-client.ts). */
export interface LinkClient {
  readonly commands: Commands
  readonly ready: boolean
  readonly isCluster: boolean
  readonly problem: unknown
  on: (event: 'ready' | 'close', listener: () => void) => void
  onFailed: (listener: (began: number) => void) => void
  close: () => void
}

/** The part of the Redis channels that the link needs (see connections/redis-channels.ts). */
export interface LinkChannels {
  readonly isOpen: boolean
  publish: (channel: string, message: string) => Promise<unknown>
  verify: () => Promise<void>
  close: () => void
}

export interface LinkChannelsOptions {
  own: string
  shared: readonly string[]
  onMessage: (channel: string, message: string) => void
  onOpen: () => void
  onClose: () => void
}

export interface RedisLinkOptions {
  client: LinkClient
  openChannels: (options: LinkChannelsOptions) => LinkChannels
  /** Returns, in bounded time, whether the server answers at all. */
  probe: () => Promise<boolean>
  versions: UserVersions
  stats: CacheStats
  /** Called when the link is lost, and when it works again. */
  onChange: (state: 'up' | 'down', cause?: unknown) => void
  /** Receives the duration of each command, in ms. */
  onCommand?: (duration: number) => void
  /** The longest time that a request waits for a command, in ms. */
  patience?: number
}

/** The interval of checks of Redis and of claims that renew the lease, in ms. */
const heartbeat = 100

/** The duration of a lease, in ms, during which an instance relies on its memory. */
const lease = 400

/** The longest time, in ms, without a claim that comes back. After it, the link assumes that its listener receives nothing. */
const longestSilence = 1_000

/** The time, in ms, that the first connection may take before the link reports that Redis is down. */
const longestConnecting = 2_000

/** The number of failed commands in a row after which requests and events send no more commands, until Redis answers a check. */
const mostFailures = 3

/** The pause between two probes while events wait, in ms. */
const probePause = 50

/** The longest time that an event waits for one command, in ms: events must reach a Redis that is too slow for requests, too. */
const announcing = 250

/** The longest time, in ms, for which the link delays an event, whatever Redis does. */
const longestHold = 3_000

/**
 * The time, in ms, for which attempts have to fail before the beacon is certainly out. The first failed attempt may have extended the
 * beacon as late as when the attempt ended.
 */
const provenAfter = beaconLife + 300

const channel = `${linkTag}:events`

/**
 * Opens the link to Redis, with two connections: one for commands and one to listen. Several times a second the link checks that Redis
 * lacks no event that instances have announced, and claims a lease. The link is *leased* while a claim has come back lately, *linked*
 * while the last check is so recent that no instance can have accepted an event without Redis since, and *away* otherwise.
 */
export function openRedisLink ({ client, openChannels, probe, versions, stats, onChange, onCommand = () => {}, patience = 50 }: RedisLinkOptions): RedisLink {
  const instance = randomUUID()
  const publish = async (to: string, message: string): Promise<unknown> => link.run(async () => channels.publish(to, message), announcing)
  const epochs = createEpochs({ publish: async epoch => channels.publish(channel, `${instance} epoch ${epoch}`), onChange: versions.doubt })
  const announcements = createAnnouncements({
    instance,
    channel,
    publish,
    lease,
    onEvents (slots, writes) {
      epochs.saw(writes)
      for (const slot of slots) versions.outdate(slot)
    },
    onLapsed: versions.doubt,
    onMessage (kind, text) { if (kind === 'epoch') epochs.adopt(text) }
  })
  const channels = openChannels({
    own: announcements.confirmations,
    shared: [channel],
    onMessage: announcements.take,
    onOpen () {
      // This instance missed announcements while it did not listen, so that it has to verify answers made before.
      versions.doubt()
      announcements.opened()
      heardAt = performance.now()
      void checkOnce()
    },
    onClose () {}
  })
  const outage = createOutage(provenAfter)

  const began = performance.now()
  /** The run of the server that receives the commands; undefined until the link has read it. */
  let run: string | undefined
  let failures = 0
  let failedChecks = 0
  let vettedAt = -Infinity
  let heardAt = -Infinity
  let closings = 0
  let state: 'up' | 'down' | undefined
  let checking: Promise<void> | undefined
  const closing = new AbortController()
  let waiting: Array<() => void> = []
  let probing = false

  async function check (): Promise<void> {
    const asked = performance.now()
    const before = closings
    const wasReady = client.ready
    try {
      // A check that Redis answers too late must not extend the beacon. After a failed check, a read therefore goes first.
      if (failedChecks > 0) await epochs.read(client.commands)
      run ??= await readRun()
      await epochs.vet(client.commands, run)
      outage.ended()
      if (closings !== before) throw new Error('the connection was closed meanwhile')
      vettedAt = asked
      failures = failedChecks = 0
      report('up')
    } catch (error) {
      failedChecks++
      if (wasReady && closings === before) outage.failed(asked, performance.now())
      if (performance.now() - vettedAt > lease) report('down', error)
      return
    }
    await hear().catch(() => {})
  }

  /** Verifies the channels if no claim has come back for too long, and claims the lease. */
  async function hear (): Promise<void> {
    if (!channels.isOpen) return
    const now = performance.now()
    if (announcements.leased) {
      heardAt = now
    } else if (now - heardAt > longestSilence) {
      heardAt = now
      await channels.verify()
    }
    await announcements.claim()
  }

  /** Returns the id of the server's run; empty if the Redis user has no permission, and in a cluster, whose nodes come and go. */
  async function readRun (): Promise<string> {
    if (client.isCluster) return ''
    try {
      return /^run_id:(\w+)/m.exec(await client.commands.info('server'))?.[1] ?? ''
    } catch (error) {
      if (/^(NOPERM|ERR unknown command)/.test((error as Error).message)) return ''
      throw error
    }
  }

  function report (now: 'up' | 'down', cause?: unknown): void {
    const isConnecting = state === undefined && performance.now() - began < longestConnecting
    if (closing.signal.aborted || now === state || (now === 'down' && isConnecting)) return
    state = now
    onChange(now, client.problem ?? cause)
  }

  const checkOnce = async (): Promise<void> => {
    checking ??= check().finally(() => {
      checking = undefined
      ring()
    })
    return checking
  }

  /** Waits until the next check of Redis, or attempt to reach it, has ended. */
  async function news (): Promise<void> {
    const heard = new Promise<void>(resolve => { waiting.push(resolve) })
    if (!probing) void probeOnAndOn()
    return heard
  }

  /** Probes Redis while events wait and Redis does not answer. Probes gather evidence faster than connecting and checks do. */
  async function probeOnAndOn (): Promise<void> {
    probing = true
    while (waiting.length > 0 && !isHealthy() && !closing.signal.aborted) {
      const asked = performance.now()
      // A successful probe proves little: a Redis that is full answers, but rejects writes.
      if (!await probe()) outage.failed(asked, performance.now())
      ring()
      await sleep(probePause, undefined, { ref: false })
    }
    probing = false
  }

  /** Wakes the events that wait for news of Redis. */
  function ring (): void {
    const woken = waiting
    waiting = []
    for (const wake of woken) wake()
  }

  client.on('ready', () => { void checkOnce() })
  client.on('close', () => {
    closings++
    vettedAt = -Infinity
    run = undefined
  })
  client.onFailed(began => {
    outage.failed(began, performance.now())
    ring()
  })
  const timer = setInterval(() => { void checkOnce() }, heartbeat)

  const isAnswering = (): boolean => client.ready && failures < mostFailures
  const isHealthy = (): boolean => client.ready && failedChecks === 0
  const isLinked = (): boolean => isAnswering() && performance.now() - vettedAt < beaconLife

  const link: RedisLink = {
    get up () { return isAnswering() && state === 'up' },
    get state () {
      if (epochs.doubtful || closing.signal.aborted) return 'away'
      return announcements.leased ? 'leased' : isLinked() ? 'linked' : 'away'
    },
    get settled () { return state !== undefined || performance.now() - began >= longestConnecting },
    get epoch () { return epochs.current },
    get problem () { return client.problem },
    async run (command, limit = patience) {
      const started = performance.now()
      try {
        const result = await within(limit, command(client.commands))
        failures = 0
        return result
      } catch (error) {
        failures++
        stats.redisErrors++
        if (error instanceof NoAnswer) outage.failed(started, performance.now())
        throw error
      } finally {
        onCommand(performance.now() - started)
      }
    },
    async ensure () {
      if (!isLinked() && isAnswering() && isHealthy()) await within(patience, checkOnce()).catch(() => {})
      return !epochs.doubtful && isLinked()
    },
    readEpoch: async () => announcements.leased ? epochs.current : link.run(async redis => epochs.read(redis)),
    async announce (slot, write) {
      const from = performance.now()
      while (!closing.signal.aborted && !outage.provenSince(from) && performance.now() - from < longestHold) {
        if (isLinked()) {
          try {
            const [, writes] = await link.run(async redis => Promise.all([write(redis), epochs.write(redis)]), announcing)
            return await announcements.announce(slot, writes)
          } catch {
            // Retries after the next check.
          }
        }
        await news()
      }
      epochs.doubt()
    },
    async close () {
      closing.abort()
      clearInterval(timer)
      ring()
      await checking
      if (isLinked()) await Promise.all([publish(channel, `${instance} idle 0`), announcements.alone ? epochs.leave(client.commands) : undefined]).catch(() => {})
      channels.close()
      client.close()
    }
  }
  return link
}
