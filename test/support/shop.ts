import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import type { Action } from '../../src/origins/origin.ts'
import { startGateway } from './gateway.ts'

export const cacheControl = {
  userSpecified: { maxAge: 10, directives: 'private' },
  syntheticUserSpecified: { maxAge: 300, directives: 'public' },
  noUserSpecified: { maxAge: 1200, directives: 'public' },
  server: { ttl: 0 }
}

type Recommenders = Partial<Record<Action, Record<string, object>>>

/** Returns a document with one namespace, `shop`. The gateway caches no answers, so that each request reaches the provider. */
export function shopDocument (recommenders: Recommenders, more: object = {}): object {
  return { cacheControl, namespaces: { shop: { recommenders, ...more } } }
}

/** Starts a gateway with one namespace, `shop`. It ends with the test. */
export async function startShop (t: Test, recommenders: Recommenders, more: object = {}): Promise<FastifyInstance> {
  const { app } = await startGateway(t, shopDocument(recommenders, more))
  await app.config.loaded
  return app
}

export interface Answer {
  status: number
  headers: Record<string, string | undefined>
  body: Record<string, unknown>
}

/** Sends a request to a gateway in this process, without the network. */
export async function ask (app: FastifyInstance, url: string, payload?: string[]): Promise<Answer> {
  const { statusCode, headers, body } = await app.inject(payload === undefined ? { url } : { method: 'POST', url, payload })
  return { status: statusCode, headers: headers as Answer['headers'], body: JSON.parse(body) as Answer['body'] }
}

/** Returns the ids of an answer's items. */
export function itemsOf ({ body }: Answer): string[] {
  const list = (body['itemList'] ?? body['personalizedRanking']) as Array<{ itemId: string }>
  return list.map(({ itemId }) => itemId)
}

/** Returns the body of an answer without its recommendation id, which is another one each time. */
export function withoutId (body: unknown): object {
  const { recommendationId: _, ...rest } = body as { recommendationId?: string }
  return rest
}
