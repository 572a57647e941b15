import type { FastifyInstance, RouteOptions } from 'fastify'

/** A route of the table, with a request that it takes. */
export interface RouteRequest {
  name: string
  route: RouteOptions
  /** Returns the request for a namespace and a user. */
  request: (namespace: string, userId?: string) => { method: 'GET' | 'POST' | 'DELETE' | 'HEAD', url: string, headers?: Record<string, string>, payload?: string }
}

const event = { eventType: 'view', itemId: 'item-1' }

/** Returns the body for a route. */
function bodyOf (url: string, userId: string): unknown {
  if (url.startsWith('/events/')) return url.endsWith('/batch') ? [{ userId, eventList: [event] }] : { userId, eventList: [event] }
  if (url.startsWith('/items/')) return { items: [{ itemId: 'item-1', properties: { name: 'Tea' } }] }
  if (url.startsWith('/users/')) return { users: [{ userId, properties: {} }] }
  return url.startsWith('/rerank-items/') ? ['item-1'] : {}
}

/** Returns a request for each route of the table that needs credentials, so that a new route is tested without a word here. */
export function routeRequests (app: FastifyInstance): RouteRequest[] {
  return app.authentication.routes
    .filter(({ config }) => config?.access !== 'public')
    .map(route => {
      const method = String(route.method) as 'GET' | 'POST'
      return {
        name: `${method} ${route.url}`,
        route,
        request: (namespace, userId = 'user-1') => {
          const ids: Record<string, string> = { namespace, recommender: 'home', userId, itemId: 'item-1', itemIds: 'item-1,item-2' }
          const url = route.url.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(ids[name] ?? 'x').replaceAll('%2C', ',')) + (route.url.includes('predicted-ratings') ? '?items=item-1' : '')
          return { method, url, ...(method === 'POST' ? { payload: JSON.stringify(bodyOf(route.url, userId)), headers: { 'content-type': 'application/json' } } : {}) }
        }
      }
    })
}
