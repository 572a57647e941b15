import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify'
import fp from 'fastify-plugin'
import { anonymous, type Access, type Principal } from '../src/security/access.ts'
import { createGate, type Gate, type Need } from '../src/security/gate.ts'
import type { TokenTools } from '../src/security/jwt.ts'
import { isFromPrivate } from '../src/security/private-address.ts'
import { openSchemes, type Credentials, type SchemeName } from '../src/security/schemes.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The settings of routes that are open or closed by choice, and of the security in the OpenAPI document. */
    authentication: Authentication
  }
  interface FastifyRequest {
    /** The caller. */
    principal: Principal
  }
  interface FastifyContextConfig {
    /** The scope that callers of the route need; `public`: none. A route without it refuses every caller. */
    access?: Need
    /** Whether the route is open under `AUTH_SCHEME=none` although it is a write. Reads are open then; other routes only with `OPEN_WRITES`. */
    anonymous?: boolean
  }
}

export interface Authentication {
  readonly docs: Access
  readonly metrics: Need
  /** Returns the value of `WWW-Authenticate` for a refusal. */
  readonly challenge: Gate['challenge']
  /** The same for a bad token; undefined if requests need no credentials. */
  readonly tokenChallenge: string | undefined
  /** Whether everybody may read the documentation, but not call the routes that it describes. */
  readonly docsOnly: boolean
  /** Whether any credentials exist. */
  readonly hasKeys: boolean
  /** The schemes that are on, for the OpenAPI document. */
  readonly securitySchemes: Record<string, object>
  /** All routes, with the flags that decide who may call them. */
  readonly routes: readonly RouteOptions[]
}

export interface AuthenticationOptions extends Credentials {
  /** The schemes that are on; absent or empty: none, so that reads and events are open. */
  schemes?: readonly SchemeName[]
  /** Whether everything else is open as well where no scheme is on; absent: false. */
  openWrites?: boolean
  /** The need of the documentation; absent: none. */
  docs?: Access
  /** The need of the metrics; absent: a private address, or a key. */
  metrics?: Need
}

/**
 * Authenticates each request before any other plugin can answer it, by the flag of its route. Routes whose flag is missing refuse every
 * caller. All refusals of a kind look the same.
 */
export default fp<AuthenticationOptions>(async (app, { schemes: names = [], openWrites = false, docs = 'public', metrics = 'private', ...credentials }) => {
  const { now, steady, onError } = app.resources
  const schemes = await openSchemes(names, credentials, {
    now,
    steady,
    onError,
    onRefused (reason) { app.log.debug({ reason }, 'a token was refused') },
    tokenTools: async () => loadTokenTools(app)
  })
  const gate = createGate({ schemes, closed: names.length > 0, openWrites })

  const routes: RouteOptions[] = []
  app.decorate('authentication', {
    docs,
    metrics,
    challenge: gate.challenge,
    tokenChallenge: names.length === 0 ? undefined : schemes.map(scheme => scheme.challenge('invalid_token')).join(', '),
    docsOnly: docs === 'public' && names.length > 0,
    hasKeys: names.length > 0 || openWrites || credentials.adminKey !== undefined || (credentials.keySources ?? []).length > 0,
    securitySchemes: Object.fromEntries(schemes.map(({ openapi: { name, scheme } }) => [name, scheme])),
    routes
  })
  app.decorateRequest('principal')
  app.addHook('onRoute', route => {
    routes.push(route)
    if (route.schema?.operationId === undefined) return
    // An empty requirement stands for callers that need no credentials where they are.
    const required = schemes.map(({ openapi: { name } }) => ({ [name]: [] }))
    route.schema = { ...route.schema, security: gate.isOpen(route.config ?? {}) ? [] : route.config?.access === 'private' ? [{}, ...required] : required }
  })
  app.addHook('onReady', async () => {
    if (names.length > 0) return
    const open = routes.filter(({ method, config = {} }) => method !== 'HEAD' && config.access !== 'public' && gate.isOpen(config)).map(({ method, url }) => `${String(method)} ${url}`)
    app.log.warn({ open }, `AUTH_SCHEME is "none"${openWrites ? ' and OPEN_WRITES is on' : ''}: everybody may call these routes`)
  })

  app.addHook('onRequest', (request, _reply, done) => {
    request.principal = anonymous
    if (request.is404) return done()
    const { config } = request.routeOptions
    if (gate.isOpen(config) || (config.access === 'private' && isPrivate(request))) return done()
    try {
      const principal = gate.admit(config, { headers: request.headers, params: request.params as object })
      if (principal instanceof Promise) {
        principal.then(known => {
          request.principal = known
          done()
        }, done)
        return
      }
      request.principal = principal
    } catch (error) {
      return done(error as Error)
    }
    done()
  })

  app.addHook('onClose', async () => { for (const scheme of schemes) scheme.close() })
}, { name: 'authentication', dependencies: ['errors', 'resources'] })

function isPrivate ({ socket, headers }: FastifyRequest): boolean {
  return isFromPrivate(socket.remoteAddress, headers)
}

/** Loads the library for tokens. By itself, since the compiler does not rewrite the extension of an `import()` within a default export. */
async function loadTokenTools (app: FastifyInstance): Promise<TokenTools> {
  const { openTokenTools } = await import('./token-tools.ts')
  return openTokenTools(app)
}
