import Type from 'typebox'
import { ConfigStatusSchema } from '../src/plan/status.ts'
import type { App } from './route.ts'

const LiveSchema = Type.Object({ status: Type.Literal('live') })

const ReadySchema = Type.Object({
  status: Type.Enum(['starting', 'ready', 'degraded', 'draining']),
  configuration: ConfigStatusSchema
})

export default async function health (app: App): Promise<void> {
  app.get('/health/live', {
    schema: { operationId: 'live', summary: 'Whether the process runs', tags: ['operations'], response: { 200: LiveSchema } }
  }, async (_request, reply) => reply.header('cache-control', 'no-store').send({ status: 'live' as const }))

  app.get('/health/ready', {
    schema: {
      operationId: 'ready',
      summary: 'Whether requests may come, and what is degraded',
      description: 'A configuration that was refused after the first one was loaded degrades the gateway and does not make it unready.',
      tags: ['operations'],
      response: { 200: ReadySchema, 503: ReadySchema }
    }
  }, async (_request, reply) => {
    const configuration = app.config.status
    reply.header('cache-control', 'no-store')
    if (app.readiness.draining) return reply.code(503).send({ status: 'draining' as const, configuration })
    if (app.readiness.starting || configuration.loadedAt === undefined) return reply.code(503).send({ status: 'starting' as const, configuration })
    return reply.send({ status: configuration.error === undefined ? 'ready' as const : 'degraded' as const, configuration })
  })
}
