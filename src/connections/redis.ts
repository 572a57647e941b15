import { once } from 'node:events'
import { Redis } from 'ioredis'
import type { Scope } from './scope.ts'
import { UserError } from '../base/user-error.ts'

/** Timeout of a command on the shared connection, in ms. Blocking commands need a connection of their own. */
const commandTimeout = 2_000

/** Longest pause before a reconnect, in ms. */
const longestPause = 500

/**
 * Opens the connection that event targets share. It reconnects by itself; commands fail at once while it is disconnected.
 * @throws UserError if the process has no Redis
 */
export async function redisOf (scope: Scope): Promise<Redis> {
  const url = redisUrlOf(scope)
  return scope.share('redis for events', async () => {
    const redis = connectRedis(url, commandTimeout)
    await untilReady(redis)
    return redis
  }, redis => { redis.disconnect() })
}

/** Returns the address of Redis. @throws UserError if the process has no Redis */
export function redisUrlOf ({ redisUrl }: Pick<Scope, 'redisUrl'>): string {
  if (redisUrl === undefined) throw new UserError('an event target of the configuration needs Redis; expected its address in REDIS_URL')
  return redisUrl
}

/**
 * Opens a separate connection, which the caller disconnects after use.
 * @param commandTimeout in ms
 */
export function connectRedis (url: string, commandTimeout: number): Redis {
  const redis = new Redis(url, {
    commandTimeout,
    connectTimeout: 1_000,
    // Without a timeout, a dead connection would fail only after minutes, and data written to it would stay in memory.
    socketTimeout: commandTimeout + 1_000,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    enableAutoPipelining: true,
    retryStrategy: attempt => Math.min(50 * attempt, longestPause)
  })
  // The failed commands report the same errors. Without a listener, the event would end the process.
  redis.on('error', () => {})
  return redis
}

/** Waits until commands can be sent, for `within` ms at most. @returns whether they can */
export async function untilReady (redis: Redis, within = 1_000): Promise<boolean> {
  if (redis.status !== 'ready') await once(redis, 'ready', { signal: AbortSignal.timeout(within) }).catch(() => {})
  return redis.status === 'ready'
}
