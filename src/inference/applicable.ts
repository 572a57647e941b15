import { GatewayError } from '../base/errors.ts'
import type { Resolution } from '../context/resolve.ts'
import type { VariationPlan } from '../plan/plan.ts'
import type { InferenceRequest } from './request.ts'

/**
 * Returns the request with the query parameters that the given variations read besides those of the gateway.
 * @throws GatewayError 400 for a parameter that is given several times
 */
export function withParameters (request: InferenceRequest, variations: readonly VariationPlan[]): InferenceRequest {
  if (variations.every(({ parameters }) => parameters.length === 0)) return request
  const { query = {} } = request
  const names = [...new Set(variations.flatMap(({ parameters }) => parameters))].sort()
  const given = names.filter(name => Object.hasOwn(query, name) && query[name] !== '').map(name => [name, oneText(name, query[name])] as const)
  return given.length === 0 ? request : { ...request, parameters: new Map(given) }
}

function oneText (name: string, value: unknown): string {
  if (Array.isArray(value)) throw new GatewayError('InvalidParameter', `${name}: expected one value, got ${value.length}`)
  return String(value)
}

/**
 * Refuses a filter or a context that the assigned variation would ignore.
 * @param resolution of the request, by the rules of the variation
 * @throws GatewayError 400 naming the parameter
 */
export function refuseInapplicable ({ filter, filterValues, context }: InferenceRequest, { name, type, filters, anyContext }: VariationPlan, resolution: Resolution): void {
  if (filter !== undefined && !filters) {
    throw new GatewayError('InvalidFilterParameter', `filter: the variation "${name}" (${type}) answers this recommender, and it cannot filter; expected no filter`)
  }
  if (filterValues !== undefined && Object.keys(filterValues).length > 0 && (!filters || resolution.filter === undefined)) {
    throw new GatewayError('InvalidFilterParameter', 'filterValues: expected a filter with these values; none applies to this request')
  }
  if (context === undefined || anyContext) return
  const wrong = Object.entries(context).find(([, value]) => typeof value !== 'string')
  if (wrong !== undefined) {
    throw new GatewayError('InvalidContextParameter', `context: expected string values, as the variation "${name}" (${type}) takes no others; "${wrong[0]}" is not`)
  }
}
