import Type from 'typebox'
import type { App } from './route.ts'

export default async function metrics (app: App): Promise<void> {
  app.get('/metrics', {
    config: { access: app.authentication.metrics },
    schema: {
      operationId: 'metrics',
      summary: 'What the gateway counts',
      description: 'In the text format of Prometheus.',
      tags: ['operations'],
      produces: ['text/plain'],
      response: { 200: Type.String() }
    }
  }, async (_request, reply) => reply.header('cache-control', 'no-store').type(app.metrics.contentType).send(await app.metrics.text()))
}
