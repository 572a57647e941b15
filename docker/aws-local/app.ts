import { randomUUID } from 'node:crypto'
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import { packagedFile } from '../../src/settings.ts'
import { createBehaviours } from './behaviour.ts'
import type { ReceivedCall } from './call.ts'
import { controlRoutes, type Control } from './control.ts'
import { createRecording } from './recording.ts'
import type { Scope } from './scope.ts'
import { serve } from './serve.ts'
import type { Service } from './service.ts'
import { openServices } from './services/registry.ts'
import { openCatalog } from './state/catalog.ts'
import { createConfigurations } from './state/configurations.ts'
import { createFeatures } from './state/features.ts'
import { openModel } from './state/model.ts'
import { createSecrets } from './state/secrets.ts'
import type { World } from './state/world.ts'
import { createWorlds } from './state/worlds.ts'

export interface AwsLocalOptions extends Partial<Pick<Scope, 'now' | 'newId' | 'functions' | 'endpoints'>> {
  /** The file of events that the model learns first; the sample store's where absent. */
  events?: string | undefined
  /** The file of items that item metadata comes from; the sample store's where absent. */
  items?: string | undefined
  /** What there is in Personalize; the sample store where absent. */
  world?: World
  /** The seconds after which AppConfig wants to be asked again. */
  pollInterval?: number
  /** From 0 up to 1: which calls and records are throttled. */
  random?: () => number
  /** A log line for each request. */
  logger?: boolean
}

/** AWS on one port: its services, and the control over how they behave and what they hold. */
export interface AwsLocal extends Control {
  /** @returns the URL of every service */
  listen: (port?: number, host?: string) => Promise<string>
  /** Ends all connections, those of calls that hang too. */
  close: () => Promise<void>
}

/** The largest call that any of the services takes. */
const bodyLimit = 16 * 1024 * 1024

/**
 * Puts the services together on one port; it does not listen yet.
 * @throws Error where the events or the items cannot be read
 */
export async function createAwsLocal (options: AwsLocalOptions = {}): Promise<AwsLocal> {
  const { now = Date.now, newId = randomUUID, random = Math.random, pollInterval = 15, functions = {}, endpoints = {} } = options
  const scope: Scope = {
    now,
    newId,
    pollInterval,
    functions,
    endpoints,
    model: await openModel(options.events ?? packagedFile('samples/events.csv'), now),
    catalog: await openCatalog(options.items ?? packagedFile('samples/items.jsonl')),
    worlds: createWorlds(options.world),
    secrets: createSecrets(now, newId),
    configurations: createConfigurations(),
    features: createFeatures()
  }
  const services = openServices(scope)
  const { secrets, configurations, features, worlds } = scope
  const control: Control = { behaviours: createBehaviours(services), requests: createRecording(), secrets, configurations, features, worlds }
  const app = Fastify({
    bodyLimit,
    logger: options.logger ?? false,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    // A function may be called by its ARN.
    routerOptions: { maxParamLength: 2048 }
  })

  // Each service reads its own bodies; what they are called matters to none of them here.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => { done(null, body) })
  app.setNotFoundHandler((request, reply) => reply.code(404).send({ message: `there is nothing at ${request.method} ${request.url}` }))

  async function answer (service: Service, operation: string, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const gone = new AbortController()
    reply.raw.once('close', () => gone.abort())
    const outcome = await serve(service, operation, callOf(request), gone.signal, { ...control, random })
    if (typeof outcome === 'object') return reply.code(outcome.status).headers(outcome.headers).send(outcome.body)
    if (outcome === 'reset') request.raw.socket.resetAndDestroy()
    return reply.hijack()
  }

  for (const service of services.filter(({ target }) => target === undefined)) {
    for (const route of Object.keys(service.operations)) {
      const [method, url] = route.split(' ') as [string, string]
      app.route({ method, url, handler: async (request, reply) => answer(service, route, request, reply) })
    }
  }
  app.post('/', async (request, reply) => {
    const [target, operation = ''] = String(request.headers['x-amz-target']).split('.')
    const service = services.find(service => service.target === target)
    if (service === undefined) return reply.callNotFound()
    return answer(service, operation, request, reply)
  })
  await app.register(controlRoutes, { prefix: '/_aws-local', control, services: services.map(({ name }) => name) })

  return {
    ...control,
    listen: async (port = 0, host = '127.0.0.1') => app.listen({ port, host }),
    close: async () => app.close()
  }
}

function callOf ({ method, url, params, query, headers, body }: FastifyRequest): ReceivedCall {
  return {
    method,
    url,
    params: params as ReceivedCall['params'],
    query: query as ReceivedCall['query'],
    headers,
    body: Buffer.isBuffer(body) ? body : Buffer.alloc(0)
  }
}
