import t from 'tap'
import { errorTable } from '../src/base/errors.ts'
import { sendEvents, startGateway } from './support/gateway.ts'
import { seededRandom } from './support/seeded-random.ts'

const requests = 5_000
const { next: random, pick } = seededRandom(20)

const strings = ['tea', 'user-1', '', '0', '-1', '1', '501', '25', '1e3', 'NaN', 'null', 'true', 'YES', '[]', '{}', '{"a":"b"}', '{"a":1}', '{"__proto__":"x"}', '__proto__', 'constructor',
  '../../etc/passwd', 'a,b,c', ',', 'ü💥', '%', '\u0000', '\r\nX-Evil: 1', ' ', '"', '\'; drop table users; --', 'x'.repeat(257), 'x'.repeat(3000), 'arn:aws:personalize:eu-west-1:123456789012:filter/x']
const values = [...strings, 0, -1, 1.5, 1e308, true, false, null, [], {}, ['tea'], [['tea']], { itemId: 'tea' }, { eventType: 'view', itemId: 'tea' }]

/** A value of the kind that a schema asks for, or, one time in three, of any other. */
function value (schema: Record<string, unknown> = {}, depth = 0): unknown {
  if (random() < 0.33 || depth > 4) return pick(values)
  if (Array.isArray(schema['enum'])) return pick(schema['enum'])
  if (Array.isArray(schema['anyOf'])) return value(pick(schema['anyOf']) as Record<string, unknown>, depth + 1)
  switch (schema['type']) {
    case 'array': return Array.from({ length: Math.floor(random() * 4) }, () => value(schema['items'] as Record<string, unknown>, depth + 1))
    case 'object': return Object.fromEntries(Object.entries(schema['properties'] ?? {}).filter(() => random() < 0.7)
      .map(([key, property]) => [random() < 0.05 ? pick(strings) : key, value(property as Record<string, unknown>, depth + 1)]))
    case 'integer': return Math.floor(random() * 600)
    case 'number': return random() * 1e10
    default: return pick(strings)
  }
}

function text (schema: Record<string, unknown> | undefined): string {
  const made = value(schema)
  return encodeURIComponent(typeof made === 'string' ? made : JSON.stringify(made))
}

t.test(`${requests} random requests made from the OpenAPI document: none is our fault, and every error is of the contract`, async t => {
  const { app } = await startGateway(t)
  await sendEvents(t, app, 'user-1', ['tea', 'cup'])
  const { paths } = app.openapi()
  const operations = Object.entries(paths).flatMap(([path, item]) => Object.entries(item).map(([method, operation]) => ({ path, method, operation })))
  const statuses = new Map<number, number>()
  for (let i = 0; i < requests; i++) {
    const { path, method, operation } = pick(operations)
    const parameters = operation.parameters ?? []
    const filled = parameters.filter(parameter => parameter.in === 'path').reduce((url, { name, schema }) => url.replace(`{${name}}`, text(schema as Record<string, unknown>)), path)
    const query = parameters.filter(parameter => parameter.in === 'query' && random() < 0.4).map(({ name, schema }) => `${name}=${text(schema as Record<string, unknown>)}`)
    const url = `${filled}?${query.join('&')}`
    const body = (operation['requestBody'] as { content: Record<string, { schema: Record<string, unknown> }> } | undefined)?.content['application/json']?.schema
    const payload = body && JSON.stringify(value(body))
    const response = await app.inject({ method: method.toUpperCase() as 'GET', url, ...(payload === undefined ? {} : { payload, headers: { 'content-type': 'application/json' } }) })
    statuses.set(response.statusCode, (statuses.get(response.statusCode) ?? 0) + 1)
    if (response.statusCode === 200) continue
    type Refusal = { status?: number, code: keyof typeof errorTable, message: string }
    const answer = response.json<Refusal & { results?: Refusal[], refusedConversions?: Array<{ message: string }> }>()
    // A batch tells of each of its bodies, and a single body of its conversions.
    const results = answer.results ?? answer.refusedConversions?.map(({ message }): Refusal => ({ status: 400, code: 'InvalidBody', message })) ?? []
    const refusals = response.statusCode === 207 ? results.filter(({ status }) => status !== 200) : [{ ...answer, status: response.statusCode }]
    const sound = refusals.length > 0 && refusals.every(({ status = 500, code, message }) => status < 500 && errorTable[code]?.status === status && message !== '')
    if (!sound) t.fail(`${method} ${url} ${payload ?? ''}`, { status: response.statusCode, answer })
  }
  t.comment(Object.fromEntries(statuses))
  t.ok((statuses.get(200) ?? 0) > requests / 20, 'enough of them were good')
})
