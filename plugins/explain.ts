import fp from 'fastify-plugin'
import { surroundingsOf } from '../src/context/surroundings.ts'
import { ExplanationSchema, explainRequest } from '../src/inference/explain.ts'
import type { InferenceRequest } from '../src/inference/request.ts'

declare module 'fastify' {
  interface FastifyReply {
    /** Answers how an inference request is understood, without asking anybody. */
    explain: (request: InferenceRequest) => Promise<void>
  }
}

export default fp(async app => {
  app.addSchema(ExplanationSchema)
  app.decorateReply('explain', async function (request) {
    const { headers } = this.request
    this.header('cache-control', 'no-store').send(explainRequest(app.config.plan, request, headers, surroundingsOf(headers, app.clock)))
  })
}, { name: 'explain', dependencies: ['config', 'clock', 'admin'] })
