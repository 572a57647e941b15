import fp from 'fastify-plugin'
import { type ItemMetadataStore } from '../src/metadata/store.ts'
import { createPool, type Pool } from '../src/pool.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The item metadata stores that are open. */
    itemMetadata: Pool<ItemMetadataStore>
  }
}

export default fp(async app => {
  const stores = createPool<ItemMetadataStore>(async store => store.close())
  app.decorate('itemMetadata', stores)
  app.addHook('onClose', async () => stores.close())
}, { name: 'item-metadata' })
