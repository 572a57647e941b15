import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import fp from 'fastify-plugin'
import { refuseSocket } from './client-error.ts'
import { GatewayError } from '../src/base/errors.ts'

interface Place {
  readonly pattern: RegExp
  readonly methods: Set<string>
}

/**
 * Answers requests that no route takes, before their bodies are read: a path that has routes for other methods gets 405 (RFC 9110
 * §15.5.6) or, for OPTIONS, 204, both with `Allow`; any other path gets 404. Knows the routes that are registered after it.
 */
export default fp(async app => {
  const places = new Map<string, Place>()

  app.addHook('onRoute', ({ url, method }) => {
    const place = places.get(url) ?? { pattern: patternOf(url), methods: new Set() }
    places.set(url, place)
    for (const name of [method].flat()) place.methods.add(name)
  })

  app.addHook('onRequest', (request, reply, done) => {
    // The route of @fastify/cors for all paths answers nothing itself.
    if (!request.is404 && request.routeOptions.url !== '*') return done()
    const { method, url } = request
    const path = pathOf(url)
    const isServer = method === 'OPTIONS' && url === '*'
    const methods = [...places.values()].filter(({ pattern }) => isServer || pattern.test(path)).flatMap(place => [...place.methods])
    if (methods.length === 0) return done(new GatewayError('RouteNotFound', `there is nothing at ${method} ${url.split('?', 1)[0]!.slice(0, 200)}`))
    reply.header('allow', allow(methods))
    if (method !== 'OPTIONS') return done(notAllowed(method, allow(methods)))
    reply.code(204).header('cache-control', 'no-store').send()
  })

  // Node.js would close the connection without an answer.
  app.server.on('connect', ({ headers }: IncomingMessage, socket: Socket) => {
    const methods = allow([...places.values()].flatMap(place => [...place.methods]))
    refuseSocket(socket, notAllowed('CONNECT', methods), { Allow: methods, ...app.corsHeaders(headers.origin) })
  })
}, { name: 'methods', dependencies: ['errors', 'cors'] })

function notAllowed (method: string, methods: string): GatewayError {
  return new GatewayError('MethodNotAllowed', `${method} is not possible here; expected one of ${methods}`)
}

function allow (methods: string[]): string {
  return [...new Set([...methods, 'OPTIONS'])].sort().join(', ')
}

/** Returns the pattern of a route's URL, in which `:name` stands for a segment and `*` for the rest. */
function patternOf (url: string): RegExp {
  const text = url.replace(/[\\^$.|?+()[\]{}]/g, '\\$&').replaceAll('*', '.*').replace(/:[^/]+/g, '[^/]*')
  return new RegExp(`^${text}$`, 's')
}

/** Returns the path of a URL as the router sees it. A request to a proxy names the whole URL. */
function pathOf (url: string): string {
  const path = url.replace(/^https?:\/\/[^/?#]*/i, '').split(/[?#]/, 1)[0]!
  try {
    return decodeURI(path)
  } catch {
    return path
  }
}
