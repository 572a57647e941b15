import fp from 'fastify-plugin'
import { createPool, type Pool } from '../src/pool.ts'
import { type Recommender } from '../src/recommender/recommender.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The embedded recommenders that are open, by namespace. */
    recommenders: Pool<Recommender>
  }
}

export default fp(async app => {
  const recommenders = createPool<Recommender>(async recommender => recommender.close())
  app.decorate('recommenders', recommenders)
  app.addHook('onClose', async () => recommenders.close())
}, { name: 'recommenders' })
