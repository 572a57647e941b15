import { once } from 'node:events'
import { Redis } from 'ioredis'
import type { Scope } from './scope.ts'
import { UserError } from '../base/user-error.ts'

/** What a command of a shared connection may take, in ms. One that waits for something to come needs a connection of its own. */
const commandTimeout = 2_000

/** The longest pause before connecting again, in ms. */
const longestPause = 500

/**
 * The connection that targets of events share; it is made anew by itself when it breaks, and what is asked of it meanwhile fails at once.
 * @throws UserError where the process has no Redis
 */
export async function redisOf (scope: Scope): Promise<Redis> {
  const url = redisUrlOf(scope)
  return scope.share('redis for events', async () => {
    const redis = connectRedis(url, commandTimeout)
    await untilReady(redis)
    return redis
  }, redis => { redis.disconnect() })
}

/** @throws UserError where the process has no Redis */
export function redisUrlOf ({ redisUrl }: Pick<Scope, 'redisUrl'>): string {
  if (redisUrl === undefined) throw new UserError('an event target of the configuration needs Redis; expected its address in REDIS_URL')
  return redisUrl
}

/**
 * A connection of one's own, to be disconnected after use.
 * @param commandTimeout in ms
 */
export function connectRedis (url: string, commandTimeout: number): Redis {
  const redis = new Redis(url, {
    commandTimeout,
    connectTimeout: 1_000,
    // One that leads nowhere would say so after minutes only, and what was written into it would stay in memory.
    socketTimeout: commandTimeout + 1_000,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    enableAutoPipelining: true,
    retryStrategy: attempt => Math.min(50 * attempt, longestPause)
  })
  // What goes wrong, the command that it goes wrong for says, too; unheard it would end the process.
  redis.on('error', () => {})
  return redis
}

/** Waits until commands can be sent, or there is no connection, but not for ever. @returns whether they can */
export async function untilReady (redis: Redis, within = 1_000): Promise<boolean> {
  if (redis.status !== 'ready') await once(redis, 'ready', { signal: AbortSignal.timeout(within) }).catch(() => {})
  return redis.status === 'ready'
}
