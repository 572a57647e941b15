import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import fp from 'fastify-plugin'
import { ErrorSchema } from '../src/base/errors.ts'
import { ExplanationSchema } from '../src/inference/explain.ts'
import { ItemListSchema, PersonalizedRankingSchema, RatingsSchema } from '../src/inference/answer-schema.ts'
import { concretePaths, type OpenApiDocument } from '../src/openapi.ts'
import validators from './validators.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The OpenAPI document of the configuration that serves now. */
    openapi: () => OpenApiDocument
  }
}

export interface OpenApiOptions {
  /** The path below which the routes are. */
  basePath: string
}

/** Serves the OpenAPI document of the current configuration, and Swagger UI, at /docs. */
export default fp<OpenApiOptions>(async (app, { basePath }) => {
  for (const schema of [ErrorSchema, ExplanationSchema, ItemListSchema, PersonalizedRankingSchema, RatingsSchema]) app.addSchema(schema)
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Personalization Gateway', version: '0' },
      ...(basePath === '' ? {} : { servers: [{ url: basePath }] }),
      tags: [{ name: 'operations', description: 'Probes.' }]
    },
    refResolver: { buildLocalReference: ({ $id }, _baseUri, _fragment, i) => typeof $id === 'string' ? $id : `schema-${i}` }
  })
  // The document of @fastify/swagger is made once, from the routes. Ours follows the configuration.
  const openapi = (): OpenApiDocument => concretePaths(structuredClone(app.swagger()) as OpenApiDocument, app.config.plan)
  app.decorate('openapi', openapi)
  await app.register(async docs => {
    await docs.register(validators)
    await docs.register(swaggerUi, {
      routePrefix: '/docs',
      indexPrefix: basePath,
      transformSpecification: () => openapi(),
      transformSpecificationClone: false
    })
  }, { prefix: basePath })
}, { name: 'openapi', dependencies: ['config'] })
