import { UserError } from '../base/user-error.ts'
import { openRedis, type RedisClient } from './redis-client.ts'
import type { Scope } from './scope.ts'

/** What a command of the shared client may take, in ms. One that waits for something to come needs a client of its own. */
const commandTimeout = 2_000

/**
 * Returns the client that event targets share. It waits a second for the connection at most: without one, what is asked of the client
 * fails at once.
 * @throws UserError where the process has no Redis
 */
export async function redisOf (scope: Scope): Promise<RedisClient> {
  const url = redisUrlOf(scope)
  return scope.share('redis for events', async () => {
    const redis = openRedis(url, { commandTimeout, onProblem: scope.onError })
    await redis.untilReady()
    return redis
  }, redis => { redis.close() })
}

/** @throws UserError where the process has no Redis */
export function redisUrlOf ({ redisUrl }: Pick<Scope, 'redisUrl'>): string {
  if (redisUrl === undefined) throw new UserError('an event target of the configuration needs Redis; expected its address in REDIS_URL')
  return redisUrl
}

/** What Redis says of itself while it takes no writes: it starts, has another leader, is full or busy, or moves the key. */
const passing = /^(?:LOADING|BUSY|MASTERDOWN|READONLY|CLUSTERDOWN|TRYAGAIN|MOVED|ASK|OOM|MISCONF|NOREPLICAS)\b/

/** Returns whether Redis refused a command for now: it has not carried it out, and may do so later. */
export function isRefusedForNow (error: unknown): boolean {
  return error instanceof Error && passing.test(error.message)
}
