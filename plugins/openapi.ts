import helmet from '@fastify/helmet'
import swagger, { type FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import fp from 'fastify-plugin'
import { ErrorSchema } from '../src/base/errors.ts'
import { ExperimentReportSchema } from '../src/experiments/report.ts'
import { ExplanationSchema } from '../src/inference/explain.ts'
import { ItemListSchema, PersonalizedRankingSchema, RatingsSchema } from '../src/inference/answer-schema.ts'
import { someItems } from '../src/inference/some-items.ts'
import type { Plan } from '../src/plan/plan.ts'
import { concretePaths, type OpenApiDocument } from '../src/openapi.ts'
import validators from './validators.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The OpenAPI document of the configuration that serves now. */
    openapi: () => OpenApiDocument
  }
}

type SecuritySchemes = NonNullable<NonNullable<NonNullable<FastifyDynamicSwaggerOptions['openapi']>['components']>['securitySchemes']>

const product = 'Personalization Gateway'

const logo = `<svg xmlns="http://www.w3.org/2000/svg" width="330" height="40"><text x="0" y="28" fill="#fff" font-family="sans-serif" font-size="24" font-weight="bold">${product}</text></svg>`

/** Swagger UI sets styles at run time, and has pictures in data URLs. The page talks to its own gateway only. */
const contentSecurityPolicy = [
  "default-src 'none'", "script-src 'self'", "style-src 'self' 'unsafe-inline'", "img-src 'self' data:", "connect-src 'self'",
  "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"
].join('; ')

/**
 * The other headers that protect the page. A rule for the whole host, such as to use HTTPS only, is not the gateway's to set, and pages of
 * other origins may fetch the document if CORS lets them.
 */
const protection = {
  contentSecurityPolicy: false,
  strictTransportSecurity: false,
  originAgentCluster: false,
  crossOriginResourcePolicy: { policy: 'cross-origin' }
} as const

export interface OpenApiOptions {
  /** The path below which the routes are. */
  basePath: string
}

/** Returns some items of each namespace that knows its own. */
async function knownItems (plan: Plan): Promise<Map<string, readonly string[]>> {
  const known = await Promise.all([...plan.namespaces.values()].map(async namespace => [namespace.name, await someItems(namespace)] as const))
  return new Map(known.filter((entry): entry is [string, string[]] => entry[1].length > 0))
}

/** Serves the OpenAPI document of the current configuration, and Swagger UI, at /docs. */
export default fp<OpenApiOptions>(async (app, { basePath }) => {
  for (const schema of [ErrorSchema, ExperimentReportSchema, ExplanationSchema, ItemListSchema, PersonalizedRankingSchema, RatingsSchema]) app.addSchema(schema)
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: product, version: '0' },
      servers: [{ url: basePath === '' ? '/' : basePath }],
      tags: [{ name: 'operations', description: 'Probes, metrics, and for administrators how requests are understood.' }],
      components: { securitySchemes: app.authentication.securitySchemes as SecuritySchemes }
    },
    refResolver: { buildLocalReference: ({ $id }, _baseUri, _fragment, i) => typeof $id === 'string' ? $id : `schema-${i}` }
  })
  // The document of @fastify/swagger is made once, from the routes. Ours follows the configuration.
  const openapi = (items?: ReadonlyMap<string, readonly string[]>): OpenApiDocument =>
    concretePaths(structuredClone(app.swagger()) as OpenApiDocument, app.config.plan, { admin: app.authentication.hasKeys, ...(items === undefined ? {} : { items }) })
  app.decorate('openapi', () => openapi())
  // Items of each namespace that knows its own, for the examples of the answer to a request.
  const examples = new WeakMap<object, ReadonlyMap<string, readonly string[]>>()
  await app.register(async docs => {
    docs.addHook('onRoute', route => { route.config = { ...route.config, access: app.authentication.docs } })
    await docs.register(helmet, protection)
    await docs.register(validators)
    docs.addHook('preHandler', async request => {
      if (/\/docs\/(?:json|yaml)$/.test(request.routeOptions.url ?? '')) examples.set(request, await knownItems(app.config.plan))
    })
    // The page that Swagger UI brings along has neither our name nor our document.
    docs.get('/docs/static/', { schema: { hide: true } }, async (_request, reply) => reply.redirect('../'))
    await docs.register(swaggerUi, {
      routePrefix: '/docs',
      indexPrefix: basePath,
      theme: { title: product },
      logo: { type: 'image/svg+xml', content: logo },
      staticCSP: contentSecurityPolicy,
      transformSpecification: (_document, request) => openapi(examples.get(request)),
      transformSpecificationClone: false
    })
  }, { prefix: basePath })
}, { name: 'openapi', dependencies: ['config', 'authentication'] })
