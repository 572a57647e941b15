import Type from 'typebox'
import { failureWord } from '../src/base/errors.ts'
import { linkStates } from '../src/cache/user-versions.ts'
import { ConfigStatusSchema } from '../src/plan/status.ts'
import type { App } from './route.ts'

const LiveSchema = Type.Object({ status: Type.Literal('live') })

const ReadySchema = Type.Object({
  status: Type.Enum(['starting', 'ready', 'degraded', 'draining']),
  configuration: ConfigStatusSchema,
  redis: Type.Optional(Type.Object({
    state: Type.Enum([...linkStates], { description: 'leased: memory answers with no question; linked: Redis verifies what memory has; away: Redis does not answer' }),
    problem: Type.Optional(Type.String({ description: 'Why it does not answer, in a word.' }))
  }))
})

/** Registers the probes without a base path, for load balancers that know none. The OpenAPI document has them below it. */
export async function healthAtRoot (app: App): Promise<void> {
  app.addHook('onRoute', route => { route.schema = { ...route.schema, hide: true } })
  await app.register(health)
}

export default async function health (app: App): Promise<void> {
  app.get('/health/live', {
    config: { access: 'public', quiet: true },
    schema: { operationId: 'live', summary: 'Whether the process runs', tags: ['operations'], response: { 200: LiveSchema } }
  }, async (_request, reply) => reply.header('cache-control', 'no-store').send({ status: 'live' as const }))

  app.get('/health/ready', {
    config: { access: 'public', quiet: true },
    schema: {
      operationId: 'ready',
      summary: 'Whether requests may come, and what is degraded',
      description: 'A configuration that was refused after the first one was loaded degrades the gateway and does not make it unready.',
      tags: ['operations'],
      response: { 200: ReadySchema, 503: ReadySchema }
    }
  }, async (_request, reply) => {
    const configuration = app.config.status
    const link = app.cacheParts.redis
    const redis = link && { state: link.state, ...(link.problem === undefined ? {} : { problem: failureWord(link.problem) }) }
    const parts = { configuration, ...(redis === undefined ? {} : { redis }) }
    reply.header('cache-control', 'no-store')
    if (app.readiness.draining) return reply.code(503).send({ status: 'draining' as const, ...parts })
    if (app.readiness.starting || configuration.loadedAt === undefined || link?.settled === false || !app.experiments.settled) return reply.code(503).send({ status: 'starting' as const, ...parts })
    return reply.send({ status: configuration.error === undefined && redis?.state !== 'away' ? 'ready' as const : 'degraded' as const, ...parts })
  })
}
