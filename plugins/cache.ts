import fp from 'fastify-plugin'
import { createCache, type Cache } from '../src/cache/cache.ts'
import { createEncoder, type Encoder } from '../src/cache/encoder.ts'
import { createMemoryTier, type MemoryTier } from '../src/cache/memory-tier.ts'
import type { RedisLink } from '../src/cache/redis-link.ts'
import { createRedisTier } from '../src/cache/redis-tier.ts'
import { createCacheStats, type CacheStats } from '../src/cache/stats.ts'
import type { CacheLinkOptions } from '../src/connections/cache-link.ts'

declare module 'fastify' {
  interface FastifyInstance {
    cache: Cache
    /** The parts of the cache, for metrics and for other users of its Redis. */
    cacheParts: CacheParts
  }
}

export interface CacheParts {
  stats: CacheStats
  memory: MemoryTier
  /** Encodes the bodies of entries in memory. */
  encoder: Encoder
  /** The link to Redis; absent if Redis is not configured. */
  redis?: RedisLink | undefined
  /** Receives the duration of each Redis command, in seconds. */
  onRedisCommand: (seconds: number) => void
}

export interface CacheOptions {
  /** The capacity of the memory tier, in bytes. */
  maxBytes: number
  /** The URL of Redis; absent for a cache in memory only. */
  redisUrl?: string | undefined
}

/**
 * Opens the link to Redis. Only a process with Redis loads its client. The import is in a function of its own for the compiler (see
 * plugins/staging.ts).
 */
async function openLink (url: string, options: CacheLinkOptions): Promise<RedisLink> {
  const { openCacheLink } = await import('../src/connections/cache-link.ts')
  return openCacheLink(url, options)
}

/** Opens the two tiers of the cache. Connects to Redis in the background; the start of the gateway does not wait for it. */
export default fp<CacheOptions>(async (app, { maxBytes, redisUrl }) => {
  const { now, steady, onError, userVersions: versions } = app.resources
  const stats = createCacheStats()
  const memory = createMemoryTier(maxBytes)
  const parts: CacheParts = { stats, memory, encoder: createEncoder({ memory, onError }), onRedisCommand: () => {} }
  app.decorate('cacheParts', parts)
  if (redisUrl === undefined) {
    app.decorate('cache', createCache({ memory, versions, stats, now: steady, onError }))
    return
  }
  const redis = await openLink(redisUrl, {
    versions,
    stats,
    onChange (state, cause) {
      if (state === 'up') app.log.info({ state: redis.state }, 'Redis answers')
      else app.log.warn({ state: redis.state, cause: String(cause) }, 'Redis does not answer; the gateway goes on without')
    },
    onCommand: ms => { parts.onRedisCommand(ms / 1000) },
    onProblem: onError
  })
  parts.redis = redis
  const remote = createRedisTier(redis, { now, steady })
  versions.tell(remote)
  app.decorate('cache', createCache({ memory, remote, versions, stats, now: steady, onError }))
  app.addHook('onClose', async () => redis.close())
}, { name: 'cache', dependencies: ['resources'] })
