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
  /** The file of events that the model learns first. Default: the sample store's. */
  events?: string | undefined
  /** The file of items with their metadata. Default: the sample store's. */
  items?: string | undefined
  /** The resources in Personalize. Default: the sample store's. */
  world?: World
  /** The poll interval that AppConfig returns, in seconds. */
  pollInterval?: number
  /** Returns a number from 0 up to 1; decides which calls and records are throttled. */
  random?: () => number
  /** A log line for each request. */
  logger?: boolean
}

/** AWS on one port: its services, and the control over their behaviour and state. */
export interface AwsLocal extends Control {
  /** Starts listening. @returns the URL of all services */
  listen: (port?: number, host?: string) => Promise<string>
  /** Ends all connections, including those of hanging calls. */
  close: () => Promise<void>
}

/** In bytes; large enough for every service. */
const bodyLimit = 16 * 1024 * 1024

/**
 * Creates the server with all services. It does not listen yet.
 * @throws Error if the events or the items cannot be read
 */
export async function createAwsLocal (options: AwsLocalOptions = {}): Promise<AwsLocal> {
  const { now = Date.now, newId = randomUUID, random = Math.random, pollInterval = 15, functions = {}, endpoints = {} } = options
  const scope: Scope = {
    now,
    newId,
    pollInterval,
    functions,
    endpoints,
    model: await openModel(options.events ?? packagedFile('samples/events.jsonl'), now),
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
    // The name of a function may be its ARN.
    routerOptions: { maxParamLength: 2048 }
  })

  // Each service parses its own bodies, so the server accepts any content type.
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
