import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify'
import type { Test } from 'tap'
import { startGateway, type TestGateway } from './gateway.ts'
import type { HttpRecommender } from './http-recommender.ts'

const downstream = {
  userSpecified: { maxAge: 10, directives: 'private' },
  syntheticUserSpecified: { maxAge: 300, directives: 'public' },
  noUserSpecified: { maxAge: 1200, directives: 'public' }
}

/** Kept longer than it may be downstream. */
const keptLong = { ttl: 300, staleWhileRevalidate: 60, staleIfError: 86_400 }

/** Returns a document whose recommenders all call one HTTP server. The gateway caches the answers for five minutes. */
export function cachedDocument ({ url }: HttpRecommender, more: object = {}): object {
  const variations = { main: { type: 'http', url: `${url}/{action}/{userId}`, method: 'POST', request: '$' } }
  return {
    version: '1',
    cacheControl: { ...downstream, server: keptLong },
    resilience: { retries: 0, timeout: 5_000, breaker: { failures: 1000 } },
    namespaces: {
      shop: {
        recommenders: {
          'recommend-items': { r: { variations } },
          'related-items': { r: { variations } },
          'rerank-items': { r: { variations } },
          'predicted-ratings': { r: { variations } }
        },
        eventTargets: [{ type: 'embedded' }]
      }
    },
    ...more
  }
}

/** Starts a gateway with `cachedDocument`. It ends with the test. */
export async function startCachedShop (t: Test, server: HttpRecommender, more: object = {}): Promise<TestGateway> {
  return startGateway(t, cachedDocument(server, more))
}

export async function get (app: FastifyInstance, url: string, headers: Record<string, string> = {}, method: InjectOptions['method'] = 'GET'): Promise<LightMyRequestResponse> {
  return app.inject({ method, url, headers })
}

/** Returns whether the memory tier answered a request. */
export function isHit ({ headers }: LightMyRequestResponse): boolean {
  return String(headers['cache-status']).startsWith('gateway-memory; hit')
}
