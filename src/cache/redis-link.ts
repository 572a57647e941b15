import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { createAnnouncements } from './announcements.ts'
import { beaconLife, createEpochs, linkTag, type Commands } from './epochs.ts'
import { createOutage } from './outage.ts'
import { NoAnswer, within } from './patience.ts'
import type { CacheStats } from './stats.ts'
import type { LinkState, UserVersions } from './user-versions.ts'

/** The connections of this instance to Redis, and how far they can be relied on. */
export interface RedisLink {
  /** Whether commands can be expected to be answered. */
  readonly up: boolean
  readonly state: LinkState
  /** Whether the state says something: not in the first two seconds, as long as Redis has not answered. */
  readonly settled: boolean
  /** Entries that others stored count only if they stored them in the same epoch. */
  readonly epoch: string
  /** Why Redis does not answer; undefined while it does. */
  readonly problem: unknown
  /**
   * Runs a command.
   * @param within the longest wait, in ms; by default as long as a request waits
   * @throws what Redis says, or that it took too long
   */
  run: <T>(command: (redis: Commands) => Promise<T>, within?: number) => Promise<T>
  /**
   * Resolves with whether what Redis says can be relied on: at once, or after one check if the last one is too long ago, as after a pause
   * of the process.
   */
  ensure: () => Promise<boolean>
  /** Returns the epoch in force now; asks Redis if this instance may have missed the last one. @throws what Redis says */
  readEpoch: () => Promise<string>
  /**
   * Tells all instances of an event of somebody in a slot. Resolves when no instance serves an answer that misses it: when `write` has
   * written the user's version and no other instance relies on not having heard, or when Redis answers nobody and the others will find
   * that out before they rely on it again. Never rejects.
   */
  announce: (slot: number, write: (redis: Commands) => Promise<unknown>) => Promise<void>
  close: () => Promise<void>
}

/** What the link needs of a client of Redis: see connections/redis-client.ts. */
export interface LinkClient {
  readonly commands: Commands
  readonly ready: boolean
  readonly isCluster: boolean
  readonly problem: unknown
  on: (event: 'ready' | 'close', listener: () => void) => void
  onFailed: (listener: (began: number) => void) => void
  close: () => void
}

/** What it needs of channels: see connections/redis-channels.ts. */
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
  /** Asks whether the server answers at all, in bounded time. */
  probe: () => Promise<boolean>
  versions: UserVersions
  stats: CacheStats
  /** Told when the link is lost, and when it is there again. */
  onChange: (state: 'up' | 'down', cause?: unknown) => void
  /** Told how long each command took, in ms. */
  onCommand?: (duration: number) => void
  /** The most that a request waits for a command, in ms. */
  patience?: number
}

/** How often to check Redis and to renew the lease, in ms. */
const heartbeat = 100

/** For so long, in ms, an instance relies on what it has heard. */
const lease = 400

/** A claim that has not come back for so long, in ms, tells that the listener hears nothing. */
const longestSilence = 1_000

/** It is not said before so long, in ms, that there is no Redis. */
const longestConnecting = 2_000

/** So many failed commands in a row, and no more are tried until Redis answers a check. */
const mostFailures = 3

/** The pause between two probes while events wait, in ms. */
const probePause = 50

/** The most that an event waits for one command, in ms: a Redis that is slow for requests must still learn of events. */
const announcing = 250

/** An event is not held up longer than this, in ms, whatever Redis does. */
const longestHold = 3_000

/** Attempts have to fail for so long, in ms, that the beacon is out: the first that failed may have extended it as late as it ended. */
const provenAfter = beaconLife + 300

const channel = `${linkTag}:events`

/**
 * Keeps two connections, one for commands and one to listen. Several times a second the link checks that Redis lacks nothing that
 * instances were told, and claims a lease. It is *leased* while a claim has come back lately, *linked* while the last check is recent
 * enough that no event can have been accepted without Redis since, and *away* otherwise.
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
      // Announcements were missed while nobody listened: what was made before has to be verified.
      versions.doubt()
      announcements.opened()
      heardAt = performance.now()
      void checkOnce()
    },
    onClose () {}
  })
  const outage = createOutage(provenAfter)

  const began = performance.now()
  /** Of the server that commands go to; undefined until it is asked. */
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
      // A check that is answered too late must not extend the beacon: after a failed one, a question goes ahead.
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

  /** Sees to it that announcements arrive, and claims the lease. */
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

  /** @returns empty where the user may not ask, and in a cluster, whose nodes come and go */
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

  /** Waits for news of Redis: a check, or an attempt to reach it, that is over. */
  async function news (): Promise<void> {
    const heard = new Promise<void>(resolve => { waiting.push(resolve) })
    if (!probing) void probeOnAndOn()
    return heard
  }

  /** While events wait and Redis does not answer, gathers evidence faster than connecting and checks do. */
  async function probeOnAndOn (): Promise<void> {
    probing = true
    while (waiting.length > 0 && !isHealthy() && !closing.signal.aborted) {
      const asked = performance.now()
      // An answer proves little: a Redis that is full answers, and takes no writes.
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
            // The next check tells more.
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
