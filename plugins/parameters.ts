import type { FastifySchema, preValidationHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import type { TProperties } from 'typebox'
import { GatewayError } from '../src/base/errors.ts'
import { namesOf, pathOf, queryOf, undecodable } from '../src/base/url-query.ts'
import { readQueryValues, readValue } from '../src/inference/text-parameters.ts'
import { actions } from '../src/origins/origin.ts'
import { extraParametersOf, recommenderKey } from '../src/plan/plan.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether the route passes the query on, so that it ignores no parameter. */
    keepsQuery?: boolean
  }
}

export const ignoredParameters = 'x-personalization-ignored-parameters'

/** The most names in the header, and the most characters of each. A long header could make a proxy refuse the answer. */
const mostNames = 10
const longestName = 64

/** Reads the parameters of the URL as the schemas of the routes say, and names those that a route does not have in a header. */
export default fp(async app => {
  app.addHook('onRequest', ({ raw }, _reply, done) => {
    const wrong = raw.url!.includes('%') ? undecodable(queryOf(raw.url!)) : undefined
    if (wrong === undefined) done()
    else done(new GatewayError('InvalidUrl', `the URL is not valid: in the query, "${wrong.slice(0, 100)}" has a "%" that does not begin an escape, or escaped bytes that are not UTF-8 text`))
  })

  app.addHook('onRoute', route => {
    if (route.schema?.operationId === undefined) return
    route.preValidation = [readingHook(route.url, route.schema, route.config?.keepsQuery === true, extraNames), ...[route.preValidation ?? []].flat()]
  })

  /** Returns the parameters that the recommender of a request takes besides those of its route. */
  function extraNames (url: string, { namespace = '', recommender = '' }: { namespace?: string, recommender?: string }): ReadonlySet<string> {
    const action = actions.find(action => url.includes(`/${action}/`))
    const plan = action && app.config.current?.namespaces.get(namespace)?.recommenders.get(recommenderKey(action, recommender))
    return new Set(plan === undefined ? [] : extraParametersOf(plan))
  }
}, { name: 'parameters', dependencies: ['errors'] })

type ExtraNames = (url: string, params: object) => ReadonlySet<string>

function readingHook (url: string, schema: FastifySchema, keepsQuery: boolean, extraNames: ExtraNames): preValidationHookHandler {
  const properties = propertiesOf(schema.querystring)
  const segments = url.split('/')
  // Counted from the end: a request's URL may have a scheme and a host before the path.
  const lists = Object.entries(propertiesOf(schema.params) ?? {})
    .filter(([, { type }]: [string, { type?: unknown }]) => type === 'array')
    .map(([name, list]) => ({ name, list, at: segments.indexOf(`:${name}`) - segments.length }))
  return (request, reply, done) => {
    const path = lists.length === 0 ? [] : pathOf(request.raw.url!).split('/')
    const query = queryOf(request.raw.url!)
    const unknown = query === '' || keepsQuery ? [] : [...namesOf(query)].filter(name => properties === undefined || !Object.hasOwn(properties, name))
    const extra = unknown.length === 0 ? unknown : [...extraNames(url, request.params as object)]
    if (unknown.length > 0) {
      const ignored = unknown.filter(name => !extra.includes(name))
      if (ignored.length > 0) reply.header(ignoredParameters, listed(ignored))
    }
    if (properties !== undefined) request.query = readQueryValues(properties, query, extra)
    for (const { name, list, at } of lists) (request.params as Record<string, unknown>)[name] = readValue(name, list, path.at(at)!, decodeURIComponent)
    done()
  }
}

function propertiesOf (schema: unknown): TProperties | undefined {
  return (schema as { properties?: TProperties } | undefined)?.properties
}

/** Returns names as the value of a header, percent-encoded. */
function listed (names: readonly string[]): string {
  const shown = names.slice(0, mostNames).map(name => encodeURIComponent([...name].slice(0, longestName).join('')))
  return [...shown, ...names.length > mostNames ? ['...'] : []].join(', ')
}
