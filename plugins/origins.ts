import fp from 'fastify-plugin'
import { Agent, type Dispatcher } from 'undici'
import { createPool, type Pool } from '../src/pool.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** SDK clients that are open, by service and region. */
    awsClients: Pool<{ destroy: () => void }>
    /** Connections to HTTP recommenders. */
    httpDispatcher: Dispatcher
  }
}

const mebibyte = 1024 * 1024

/** What providers are reached through. */
export default fp(async app => {
  const awsClients = createPool<{ destroy: () => void }>(async client => client.destroy())
  const httpDispatcher = new Agent({ connections: 1024, connectTimeout: 3_000, keepAliveTimeout: 30_000, maxResponseSize: 4 * mebibyte })
  app.decorate('awsClients', awsClients)
  app.decorate('httpDispatcher', httpDispatcher)
  app.addHook('onClose', async () => {
    await awsClients.close()
    await httpDispatcher.destroy()
  })
}, { name: 'origins' })
