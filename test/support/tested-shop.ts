import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import type { AppOptions } from '../../src/app.ts'
import type { Totals } from '../../src/experiments/tally/store.ts'
import { startGateway, type TestGateway } from './gateway.ts'
import type { HttpRecommender } from './http-recommender.ts'

/** The id of the experiment `test` of `testedDocument`. */
export const testId = 'shop/recommend-items/home/test'

export const evenly = { method: 'weighted', weights: { a: 1, b: 1 }, metrics: { ctr: { event: 'click' }, revenue: { event: 'purchase', value: 'eventValue', cap: 500 } } }

export interface TestedOptions {
  experiments?: object
  variations?: Record<string, object>
  /** Further members of the recommender. */
  more?: object
  eventTargets?: object[]
}

/** Returns a document whose recommender `home` has an experiment. Its variations `a` and `b` call an HTTP server under `/a` and `/b`. */
export function testedDocument ({ url }: HttpRecommender, { experiments = { test: evenly }, variations = {}, more = {}, eventTargets = [{ type: 'embedded' }] }: TestedOptions = {}): object {
  const variation = (name: string): object => ({ type: 'http', url: `${url}/${name}/{userId}`, ...variations[name] })
  return {
    cacheControl: {
      userSpecified: { maxAge: 10, directives: 'public' },
      syntheticUserSpecified: { maxAge: 300, directives: 'public' },
      noUserSpecified: { maxAge: 1200, directives: 'public' },
      server: { ttl: 300 }
    },
    resilience: { retries: 0, timeout: 5_000, breaker: { failures: 1000 } },
    namespaces: {
      shop: {
        recommenders: {
          'recommend-items': {
            home: { variations: { a: variation('a'), b: variation('b') }, experiments, ...more },
            other: { variations: { only: variation('a') } }
          },
          'related-items': { similar: { variations: { a: { type: 'http', url: `${url}/a/{itemId}` }, b: { type: 'http', url: `${url}/b/{itemId}` } }, experiments: { test: { method: 'weighted', weights: { b: 1 } } } } }
        },
        eventTargets
      },
      mall: { recommenders: { 'recommend-items': { home: { variations: { a: variation('a'), b: variation('b') }, experiments } } }, eventTargets: [{ type: 'embedded' }] }
    }
  }
}

export async function startTestedShop (t: Test, server: HttpRecommender, options: TestedOptions = {}, app: Partial<AppOptions> = {}): Promise<TestGateway & Tested> {
  const gateway = await startGateway(t, testedDocument(server, options), app)
  return { ...gateway, ...testedApp(gateway.app) }
}

export interface Tested {
  show: (userId: string, query?: string, headers?: Record<string, string>) => Promise<Shown>
  send: (body: object, namespace?: string) => Promise<{ status: number, body: Record<string, unknown> }>
  totals: (id?: string) => Promise<Totals>
  /** Returns a user whom the experiment gives a variation. */
  userOf: (variation: string, not?: readonly string[]) => Promise<string>
}

export interface Shown {
  status: number
  headers: Record<string, unknown>
  variation: string
  items: string[]
  recommendationId: string
  matchedExperiment: { type: string, feature: string, details: Record<string, unknown> } | undefined
}

export function testedApp (app: FastifyInstance): Tested {
  return {
    async show (userId, query = '', headers = {}) {
      const { statusCode, headers: answered, body } = await app.inject({ url: `/recommend-items/shop/home/${encodeURIComponent(userId)}${query}`, headers })
      const { itemList = [], recommendationId = '', matchedExperiment } = JSON.parse(body || '{}') as { itemList?: Array<{ itemId: string }>, recommendationId?: string, matchedExperiment?: Shown['matchedExperiment'] }
      return { status: statusCode, headers: answered, variation: String(answered['x-personalization-variation']), items: itemList.map(({ itemId }) => itemId), recommendationId, matchedExperiment }
    },
    async send (payload, namespace = 'shop') {
      const { statusCode, body } = await app.inject({ method: 'POST', url: `/events/${namespace}`, payload })
      return { status: statusCode, body: JSON.parse(body) as Record<string, unknown> }
    },
    async totals (id = testId) {
      await app.experiments.exposures.settled()
      return app.experiments.tally.read(id)
    },
    async userOf (variation, not = []) {
      for (let i = 0; ; i++) {
        const userId = `user-${i}`
        if (not.includes(userId)) continue
        const { body } = await app.inject(`/assignments/shop/home/${userId}?action=recommend-items`)
        if ((JSON.parse(body) as { variation: string }).variation === variation) return userId
      }
    }
  }
}
