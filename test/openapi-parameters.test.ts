import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import type { FastifyInstance } from 'fastify'
import { startAws } from './support/aws.ts'
import { startGateway } from './support/gateway.ts'
import { sampleConfigFile, packagedFile } from '../src/settings.ts'

interface Parameter {
  name: string
  in: string
  required?: boolean
  style?: string
  explode?: boolean
  example?: unknown
  schema?: Record<string, unknown>
  content?: Record<string, { schema: Record<string, unknown>, example?: unknown }>
}

type Operation = { operationId: string, parameters?: Parameter[], requestBody?: { content: Record<string, { example?: object }> } }

const operationsOf = (app: FastifyInstance): Array<[path: string, method: string, operation: Operation]> =>
  Object.entries(app.openapi().paths).flatMap(([path, item]) => Object.entries(item).map(([method, operation]): [string, string, Operation] => [path, method, operation as unknown as Operation]))

const actions = /^\/(?:recommend-items|related-items|rerank-items|predicted-ratings)\//

/** The example of a parameter as OpenAPI writes it into a URL; undefined where there is none. */
function written ({ example, content }: Parameter): string | undefined {
  const json = content?.['application/json']
  if (json !== undefined) return json.example === undefined ? undefined : encodeURIComponent(JSON.stringify(json.example))
  if (example === undefined) return undefined
  return Array.isArray(example) ? example.map(encodeURIComponent).join(',') : encodeURIComponent(example as string | number)
}

async function tryExamples (t: Test, app: FastifyInstance): Promise<void> {
  let tried = 0
  for (const [path, method, { parameters = [], requestBody }] of operationsOf(app)) {
    if (!actions.test(path)) continue
    const url = parameters.filter(parameter => parameter.in === 'path').reduce((url, parameter) => url.replace(`{${parameter.name}}`, written(parameter)!), path)
    const query = parameters.filter(parameter => parameter.in === 'query' && written(parameter) !== undefined).map(parameter => `${parameter.name}=${written(parameter)!}`)
    const { statusCode, headers, body } = await app.inject({ method: method.toUpperCase() as 'GET', url: `${url}?${query.join('&')}`, ...(requestBody === undefined ? {} : { payload: requestBody.content['application/json']!.example! }) })
    t.equal(statusCode, 200, `${method} ${url}?${query.join('&')}: ${body.slice(0, 200)}`)
    t.equal(headers['x-personalization-degraded'], undefined, `${url} is answered by the variation itself`)
    tried++
  }
  t.ok(tried > 4)
}

t.test('the examples of the OpenAPI document work, of the sample store', async t => {
  const { app } = await startGateway(t, JSON.parse(readFileSync(sampleConfigFile, 'utf8')) as object)
  await tryExamples(t, app)
})

t.test('the examples of the OpenAPI document work, of docker/aws-config.json on the local stand-ins', async t => {
  await startAws(t)
  const { resilience: _, ...config } = JSON.parse(readFileSync(packagedFile('docker/aws-config.json'), 'utf8')) as { resilience: object }
  const { app } = await startGateway(t, { ...config, resilience: { timeout: 10_000 } })
  await tryExamples(t, app)
  t.match((await app.inject('/predicted-ratings/my-store/ratings/user-1?items=item-1,item-2')).json(), { ratings: [Number, Number] })
})

t.test('the OpenAPI document promises no parameter that does not fit into a URL, and says how lists and maps are written', async t => {
  const { app } = await startGateway(t, JSON.parse(readFileSync(sampleConfigFile, 'utf8')) as object)
  const seen = new Set<string>()
  for (const [path, , { parameters = [] }] of operationsOf(app)) {
    for (const { name, in: place, required, schema, content, style, explode } of parameters.filter(parameter => parameter.in !== 'header')) {
      seen.add(name)
      if (schema?.['type'] === 'string') t.ok(Number(schema['maxLength'] ?? 128) <= 256, `${path} ${name}`)
      if (name === 'items') t.match({ schema, style, explode, required }, { schema: { type: 'array', minItems: 1, maxItems: 500 }, style: 'form', explode: false, required: true })
      if (name === 'itemIds' && place === 'path') t.match({ schema, required }, { schema: { type: 'array', minItems: 1, maxItems: 500 }, required: true })
      if (name === 'context' || name === 'filterValues') t.match(content, { 'application/json': { schema: { type: 'object', additionalProperties: { type: 'string', maxLength: 1000 } } } })
      if (name === 'numResults') t.match({ schema, required: required ?? false }, { schema: { type: 'integer', minimum: 1, maximum: 500, default: 25 }, required: false })
    }
  }
  for (const name of ['items', 'itemIds', 'context', 'numResults', 'decorateItems']) t.ok(seen.has(name), name)
  t.match(app.openapi().info.description, /8,192 characters.*empty value counts as absent.*X-Personalization-Ignored-Parameters/s)
})

t.test('each parameter is taken at the lengths that the OpenAPI document allows, and not beyond', async t => {
  const { app } = await startGateway(t, JSON.parse(readFileSync(sampleConfigFile, 'utf8')) as object)
  for (const [path, method, { parameters = [] }] of operationsOf(app)) {
    if (method !== 'get' || !actions.test(path)) continue
    // Other rules decide about names of filters.
    for (const parameter of parameters.filter(({ name, schema }) => schema?.['maxLength'] !== undefined && name !== 'filter')) {
      for (const [more, status] of [[0, 200], [1, 400]] as const) {
        const value = 'x'.repeat(Number(parameter.schema!['maxLength']) + more)
        const url = parameters.filter(other => other.in === 'path').reduce((url, other) => url.replace(`{${other.name}}`, other.name === parameter.name ? value : written(other)!), path)
        const query = [...parameters.filter(other => other.in === 'query' && other.required === true).map(other => `${other.name}=${written(other)!}`), ...(parameter.in === 'query' ? [`${parameter.name}=${value}`] : [])]
        const { statusCode, body } = await app.inject(`${url}?${query.join('&')}`)
        t.equal(statusCode, status, `${url.slice(0, 100)} ${parameter.name}: ${body.slice(0, 200)}`)
      }
    }
  }
})
