import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis, type RedisOptions } from 'ioredis'
import { createAnnouncements } from './announcements.ts'
import type { CacheStats } from './stats.ts'
import type { UserVersions } from './user-versions.ts'

/** The connections of this instance to Redis, and whether they can be relied on. */
export interface RedisLink {
  /** Whether commands can be expected to be answered. */
  readonly up: boolean
  /** Whether all that others announced until now has arrived. */
  readonly trusted: boolean
  /** What others have kept counts only if they kept it in the same epoch. A new one begins when announcements may have been lost. */
  readonly epoch: string
  /** Runs a command that is of use. @throws what Redis says, or that it took too long */
  run: <T>(command: (redis: Redis) => Promise<T>) => Promise<T>
  /**
   * Tells all instances of an event of somebody in a slot, after what the command does. Resolves when each has heard or relies on
   * nothing any more. Never rejects.
   */
  announce: (slot: number, before: (redis: Redis) => Promise<unknown>) => Promise<void>
  close: () => Promise<void>
}

export interface RedisLinkOptions {
  url: string
  versions: UserVersions
  stats: CacheStats
  /** Told when the link is lost, and when it is there again. */
  onChange: (state: 'up' | 'down', cause?: unknown) => void
  /** Told how long each command took, in ms. */
  onCommand?: (duration: number) => void
  /** The most that a command may take, in ms. */
  commandTimeout?: number
}

/** How often to see whether Redis answers, in ms. */
const heartbeat = 100

/**
 * What was heard of Redis is relied on for so long, in ms. An instance that cannot announce an event, or does not get it confirmed by all,
 * waits for it to pass, so that no other goes on believing that there was none.
 */
const lease = 400

/** Redis silent for so long is relied on by nobody, in ms: neither by those whose connections broke nor by those who wait. */
const awayForAll = 2 * lease

/** A connection on which nothing has come for so long is made anew, in ms: one that leads nowhere would say so after minutes only. */
const longestSilence = 1_000

/** It is not said before so long, in ms, that there is no Redis. */
const longestConnecting = 2_000

/** The longest pause before connecting again, in ms. */
const longestPause = 250

/**
 * Once an instance is back, others may still be away with events that nobody has heard of: for so long it relies on nothing, in ms.
 * Longer than it takes to find a connection dead that is being made, to make another, and to begin an epoch by it.
 */
const quarantine = 1_500

/** So many failed commands in a row, and no more are tried until Redis answers again. */
const mostFailures = 3

const channel = 'personalization:events'
const epochKey = 'personalization:epoch'
const heartbeatKey = 'personalization:heartbeat'

/**
 * Keeps two connections, one for commands and one to listen. An event that one instance accepts is announced to all, and confirmed by all,
 * before its caller hears of it. Each instance checks several times a second that it hears and that Redis takes what is written, and relies
 * on nothing that was made for a user as soon as it cannot know what the others have announced.
 */
export function openRedisLink ({ url, versions, stats, onChange, onCommand = () => {}, commandTimeout = 50 }: RedisLinkOptions): RedisLink {
  const instance = randomUUID()
  const options = {
    commandTimeout,
    connectTimeout: 500,
    disconnectTimeout: 100,
    socketTimeout: longestSilence,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    enableAutoPipelining: true,
    autoResubscribe: false,
    retryStrategy: (attempt: number) => Math.min(50 * attempt, longestPause),
    // After a failover, what was the primary is found under another address, or none.
    reconnectOnError: ({ message }: Error) => message.startsWith('READONLY')
  } satisfies RedisOptions
  const commands = new Redis(url, options)
  const listener = new Redis(url, { ...options, enableAutoPipelining: false })
  const announcements = createAnnouncements(instance, channel, async (to, message) => link.run(async redis => redis.publish(to, message)), lease)

  const began = performance.now()
  let epoch = ''
  // How many epochs there have been.
  let epochs = 0
  let server = ''
  let listening = false
  let failures = 0
  // An event could not be announced.
  let unannounced = false
  let heardAt = -Infinity
  let relyFrom = -Infinity
  let answeredAt = performance.now()
  let state: 'up' | 'down' | undefined
  // Others may have lost it, too, and be back later than we are. We know no better when we begin.
  let lost = true
  // Who was here before and was away may have missed what nobody else knows any more.
  let wasAway = false
  let closings = 0
  let checking: Promise<void> | undefined

  async function check (): Promise<void> {
    const asked = performance.now()
    const closingsBefore = closings
    try {
      const startOfEpoch = listening ? '' : await listen()
      const epochsBefore = epochs
      const [inForce] = await Promise.all([commands.get(epochKey), listener.ping(), commands.set(heartbeatKey, '', 'PX', 10 * heartbeat)])
      if (unannounced || wasAway || inForce?.startsWith(startOfEpoch) !== true) await beginEpoch()
      // What was announced since we asked is newer.
      else if (epochs === epochsBefore) adopt(inForce)
      if (closings !== closingsBefore) throw new Error('the connection was closed meanwhile')
      listening = true
      answeredAt = performance.now()
      if (lost || answeredAt - heardAt > lease) relyFrom = answeredAt + quarantine
      lost = false
      heardAt = asked
      failures = 0
      report('up')
    } catch (error) {
      if (performance.now() - heardAt <= lease) return
      lose()
      report('down', error)
    }
  }

  function lose (): void {
    lost = true
    wasAway ||= state === 'up'
  }

  /** @returns how an epoch begins that still counts: a Redis that was started since may remember less than was announced in it */
  async function listen (): Promise<string> {
    await listener.subscribe(channel, announcements.confirmations)
    server = /^run_id:(\w+)/m.exec(await commands.info('server'))?.[1] ?? ''
    versions.outdateAll()
    return server
  }

  async function beginEpoch (): Promise<void> {
    const fresh = `${server}.${randomUUID()}`
    const epochsBefore = epochs
    const before = { unannounced, wasAway }
    unannounced = wasAway = false
    try {
      await commands.set(epochKey, fresh)
      await commands.publish(channel, `${instance} epoch ${fresh}`)
    } catch (error) {
      unannounced ||= before.unannounced
      wasAway ||= before.wasAway
      throw error
    }
    if (epochs === epochsBefore) adopt(fresh)
  }

  function adopt (other: string): void {
    if (other === epoch) return
    epoch = other
    epochs++
    versions.outdateAll()
  }

  function report (now: 'up' | 'down', cause?: unknown): void {
    const isConnecting = state === undefined && performance.now() - began < longestConnecting
    if (now === state || (now === 'down' && isConnecting)) return
    state = now
    onChange(now, cause)
  }

  listener.on('message', (on: string, message: string) => {
    if (on === announcements.confirmations) return announcements.confirmed(message)
    const [from, what, ...more] = message.split(' ') as [string, string, ...string[]]
    // All hear of epochs in one order, who begins one included, so that the last is the same for all.
    if (what === 'epoch') return adopt(more[0]!)
    if (from !== instance) for (const slot of more) versions.outdate(Number(slot))
    announcements.confirm(from, what)
  })
  for (const [connection, other] of [[commands, listener], [listener, commands]] as const) {
    // What it says, the next check sees, too; unheard it would end the process.
    connection.on('error', () => {})
    connection.on('ready', () => { void checkOnce() })
    connection.on('close', () => {
      closings++
      listening = false
      lose()
      heardAt = -Infinity
      // After a failover, they must not end at different servers.
      if (other.status === 'ready') other.disconnect(true)
    })
  }
  const checkOnce = async (): Promise<void> => {
    checking ??= check().finally(() => { checking = undefined })
    return checking
  }
  const timer = setInterval(() => { void checkOnce() }, heartbeat)

  const link: RedisLink = {
    get up () { return commands.status === 'ready' && failures < mostFailures && state === 'up' },
    get trusted () {
      const now = performance.now()
      // What others kept may be out of date with an event that was accepted here.
      return !unannounced && now - heardAt < lease && now >= relyFrom
    },
    get epoch () { return epoch },
    async run (command) {
      const started = performance.now()
      try {
        const result = await command(commands)
        failures = 0
        return result
      } catch (error) {
        failures++
        stats.redisErrors++
        throw error
      } finally {
        onCommand(performance.now() - started)
      }
    },
    async announce (slot, before) {
      const from = performance.now()
      try {
        if (!link.up) throw new Error('Redis does not answer')
        await link.run(before)
        await announcements.announce(slot)
      } catch {
        unannounced = true
        await outlastLease(from)
      }
    },
    async close () {
      clearInterval(timer)
      state = 'down'
      commands.disconnect()
      listener.disconnect()
      await checking
    }
  }

  /**
   * Waits until a new epoch says what could not be announced, or until nobody relies on what was heard before: had Redis been there
   * again by then, the last check would have begun the epoch.
   */
  async function outlastLease (from: number): Promise<void> {
    while (performance.now() - answeredAt < awayForAll) {
      const last = performance.now() - from > lease
      await checkOnce()
      if (!unannounced || last) return
      await sleep(heartbeat / 2, undefined, { ref: false })
    }
  }
  return link
}
