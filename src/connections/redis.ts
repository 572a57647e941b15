import { UserError } from '../base/user-error.ts'
import { openRedis, type RedisClient } from './redis-client.ts'
import type { Scope } from './scope.ts'

/** The timeout of a command of the shared client, in ms. A blocking command needs a separate client. */
const commandTimeout = 2_000

/**
 * Returns the client that event targets share. It waits at most a second for the connection. Without a connection, each command of the
 * client fails at once.
 * @throws UserError if the process has no Redis
 */
export async function redisOf (scope: Scope): Promise<RedisClient> {
  const url = redisUrlOf(scope)
  return scope.share('redis for events', async () => {
    const redis = openRedis(url, { commandTimeout, onProblem: scope.onError })
    await redis.untilReady()
    return redis
  }, redis => { redis.close() })
}

/** Returns the URL of Redis. @throws UserError if the process has no Redis */
export function redisUrlOf ({ redisUrl }: Pick<Scope, 'redisUrl'>): string {
  if (redisUrl === undefined) throw new UserError('an event target of the configuration needs Redis; expected its address in REDIS_URL')
  return redisUrl
}
