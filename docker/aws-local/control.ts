import type { FastifyError, FastifyInstance, FastifyRequest } from 'fastify'
import { BehaviourSchema, type Behaviours } from './behaviour.ts'
import { reader } from './input.ts'
import type { Recording } from './recording.ts'
import { Refusal } from './refusal.ts'
import type { Configurations } from './state/configurations.ts'
import { FeatureSchema, type Features } from './state/features.ts'
import type { Secrets } from './state/secrets.ts'
import { WorldSchema } from './state/world.ts'
import type { Worlds } from './state/worlds.ts'

/** The parts of the server that can be changed and inspected while it runs. */
export interface Control {
  behaviours: Behaviours
  requests: Recording
  secrets: Secrets
  configurations: Configurations
  features: Features
  worlds: Worlds
}

interface ConfigurationRoute {
  Params: { application: string, environment: string, profile: string }
  Headers: { 'version-label'?: string }
}

interface ControlOptions { control: Control, services: readonly string[] }

const readBehaviour = reader(BehaviourSchema)
const readFeature = reader(FeatureSchema)
const readWorld = reader(WorldSchema)

/** Registers the control as HTTP routes, for other processes. */
export async function controlRoutes (app: FastifyInstance, { control, services }: ControlOptions): Promise<void> {
  const { behaviours, requests, secrets, configurations, features, worlds } = control

  app.setErrorHandler<FastifyError>((error, _request, reply) => {
    const mistaken = error instanceof Refusal || error instanceof RangeError
    return reply.code(mistaken ? 400 : error.statusCode ?? 500).send({ message: error.message })
  })

  app.get('/health', async () => ({ services }))

  app.put<{ Params: { service: string } }>('/behaviour/:service', async (request, reply) => {
    behaviours.set(request.params.service, readBehaviour(bodyOf(request)))
    return reply.code(204).send()
  })
  app.delete<{ Params: { service: string } }>('/behaviour/:service', async (request, reply) => {
    behaviours.reset(request.params.service)
    return reply.code(204).send()
  })
  app.delete('/behaviour', async (_request, reply) => {
    behaviours.reset()
    return reply.code(204).send()
  })

  app.get<{ Querystring: { service?: string } }>('/requests', async request => ({ requests: requests.of(request.query.service) }))
  app.delete('/requests', async (_request, reply) => {
    requests.forget()
    return reply.code(204).send()
  })

  // The name of a secret may contain slashes.
  app.put<{ Params: { '*': string } }>('/secrets/*', async (request, reply) => {
    secrets.put(request.params['*'], bodyOf(request).toString())
    return reply.code(204).send()
  })
  app.put<ConfigurationRoute>('/configurations/:application/:environment/:profile', async (request, reply) => {
    const { application, environment, profile } = request.params
    const contentType = request.headers['content-type'] ?? 'application/json'
    configurations.deploy(application, environment, profile, bodyOf(request).toString(), { contentType, versionLabel: request.headers['version-label'] })
    return reply.code(204).send()
  })
  app.put<{ Params: { project: string, feature: string } }>('/features/:project/:feature', async (request, reply) => {
    features.set(request.params.project, request.params.feature, readFeature(bodyOf(request)))
    return reply.code(204).send()
  })
  app.put('/world', async (request, reply) => {
    worlds.set(readWorld(bodyOf(request)))
    return reply.code(204).send()
  })
}

function bodyOf ({ body }: FastifyRequest): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.alloc(0)
}
