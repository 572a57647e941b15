import { hash } from 'node:crypto'
import type { Socket } from 'node:net'
import rateLimit, { type FastifyRateLimitStore, type FastifyRateLimitStoreCtor } from '@fastify/rate-limit'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { GatewayError } from '../src/base/errors.ts'
import { addressBucket, viewerBucket } from '../src/limits/client-address.ts'
import { createCounters, redisExchange, type Counters } from '../src/limits/counters.ts'
import { rateFor, type LimitedScope, type Rate, type Rates } from '../src/limits/rates.ts'

export interface RateLimitsOptions {
  /** The rates of clients by scope; absent: only those of namespaces count. */
  rates?: Rates | undefined
  /** Whether only CloudFront can reach the gateway; absent: false. */
  trustCloudFront?: boolean
}

/** In characters. Of a longer subject of a token, counters keep the digest: there are many of them. */
const longestId = 64

/** Which rate a request is limited by, and the part of the key of its counter that names it. */
interface Limit {
  scope: LimitedScope
  rate: Rate
  /** The namespace whose own rate it is; empty for the rate of the process. */
  namespace: string
}

/**
 * Limits the rate of requests of each client: by the id of its key, else the subject of its token, else its address. Probes are not
 * limited. No request waits for Redis (see counters.ts). Comes after authentication, and before anything that answers.
 */
export default fp<RateLimitsOptions>(async (app, { rates, trustCloudFront = false }) => {
  const { redis } = app.cacheParts
  const counters = createCounters({ now: app.resources.steady, exchange: redis === undefined ? undefined : redisExchange(redis) })
  const connections = new WeakMap<Socket, string>()
  let connected = 0

  /** Returns a name for a client without an address. Such clients must not share one counter. */
  function connectionOf (socket: Socket): string {
    const known = connections.get(socket) ?? `connection ${++connected}`
    connections.set(socket, known)
    return known
  }

  function clientOf (request: FastifyRequest): string {
    const { kind, id } = request.principal
    if (kind !== 'none' && id !== undefined) return `${kind} ${id.length > longestId ? hash('sha256', id) : id}`
    const viewer = trustCloudFront ? viewerBucket(request.headers['cloudfront-viewer-address']) : undefined
    return viewer ?? addressBucket(request.ip) ?? connectionOf(request.socket)
  }

  function limitOf ({ routeOptions: { config }, params }: FastifyRequest): Limit | undefined {
    if (config?.quiet === true) return undefined
    const scope = config?.access === 'write' || config?.access === 'admin' ? config.access : 'read'
    const { namespace = '' } = (params ?? {}) as { namespace?: string }
    const own = rateFor(app.config.current?.namespaces.get(namespace)?.rates, scope)
    if (own !== undefined) return { scope, rate: own, namespace }
    const rate = rateFor(rates, scope)
    return rate && { scope, rate, namespace: '' }
  }

  const limits = new WeakMap<FastifyRequest, Limit>()
  await app.register(rateLimit, {
    global: false,
    store: storeOf(counters),
    keyGenerator (request) {
      const { scope, namespace } = limits.get(request)!
      return `${scope} ${namespace} ${clientOf(request)}`
    },
    max: request => limits.get(request)!.rate.max,
    timeWindow: request => limits.get(request)!.rate.window
  })
  const check = app.createRateLimit()

  app.addHook('onRequest', (request, reply, done) => {
    const limit = limitOf(request)
    if (limit === undefined) return done()
    limits.set(request, limit)
    check(request).then(verdict => {
      if (verdict.isAllowed) return done()
      const { max, remaining, ttlInSeconds, isExceeded } = verdict
      const { scope, rate: { window } } = limit
      // draft-ietf-httpapi-ratelimit-headers
      reply.header('ratelimit-policy', `"${scope}";q=${max};w=${window / 1000}`)
      reply.header('ratelimit', `"${scope}";r=${remaining};t=${ttlInSeconds}`)
      if (!isExceeded) return done()
      done(new GatewayError('RateLimited', `there were more than ${max} requests of this client in ${window / 1000} s`, { retryAfter: Math.max(1, ttlInSeconds) }))
    }).catch(done)
  })
}, { name: 'rate-limits', dependencies: ['authentication', 'cache', 'config', 'errors'] })

/** Returns the counters as a store of @fastify/rate-limit, which calls the constructor of a class. */
function storeOf (counters: Counters): FastifyRateLimitStoreCtor {
  return class implements FastifyRateLimitStore {
    incr (key: string, callback: (error: Error | null, count?: { current: number, ttl: number }) => void, window: number): void {
      callback(null, counters.add(key, window))
    }

    child (): FastifyRateLimitStore {
      return this
    }
  }
}
