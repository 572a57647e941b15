import type { FastifyReply } from 'fastify'
import fp from 'fastify-plugin'
import { infer } from '../src/inference/infer.ts'
import type { InferenceRequest } from '../src/inference/request.ts'

declare module 'fastify' {
  interface FastifyReply {
    /** Answers an inference request under the configuration that serves now. */
    infer: (request: InferenceRequest) => Promise<FastifyReply>
  }
}

/** Carries what inference answers into HTTP. */
export default fp(async app => {
  app.decorateReply('infer', async function (this: FastifyReply, request: InferenceRequest) {
    const { plan } = app.config
    const { body, variation, degraded, cacheControl } = await infer(plan, request)
    if (plan.version !== undefined) this.header('x-personalization-config-version', plan.version)
    if (degraded !== undefined) this.header('x-personalization-degraded', degraded)
    const mayBeStored = this.request.method === 'GET'
    if (!mayBeStored) this.header('cache-control', 'no-store')
    else if (cacheControl !== undefined) this.header('cache-control', cacheControl)
    return this.header('x-personalization-variation', variation).type('application/json; charset=utf-8').send(body)
  })
}, { name: 'inference', dependencies: ['config'] })
