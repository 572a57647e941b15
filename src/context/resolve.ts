import { sortedMap } from '../base/string-map.ts'
import type { OriginRequest } from '../origins/origin.ts'
import { compileAutoValues, type AutoValue, type AutoValues } from './auto-values.ts'
import type { AutoValuesConfig, FiltersConfig } from './rules.ts'
import type { Surroundings } from './surroundings.ts'

/** The compiled context and filter rules of a variation. */
export interface ContextRules {
  readonly autoContext: AutoValues | undefined
  /** `resolve` uses the first filter whose condition holds. */
  readonly filters: readonly Filter[]
  /** The request headers that the rules read, in lower case. */
  readonly headers: readonly string[]
  /** Those by which downstream caches have to tell answers apart. */
  readonly varying: readonly string[]
}

export interface Filter {
  readonly arn: string
  readonly userRequired: boolean
  readonly autoValues: AutoValues | undefined
}

/** The part of a request that the rules decide. */
export type Resolution = Pick<OriginRequest, 'filter' | 'filterValues' | 'context'>

/** A resolution with the values that the rules derived. */
export interface Explanation extends Resolution {
  readonly autoContext: ReadonlyMap<string, AutoValue>
  readonly autoFilterValues: ReadonlyMap<string, AutoValue>
}

type Asked = Pick<OriginRequest, 'userId'> & Resolution

const none: ReadonlyMap<string, AutoValue> = new Map()

/** Compiles the context rules and filters of a document. */
export function compileContext (autoContext: AutoValuesConfig | undefined, filters: FiltersConfig = []): ContextRules {
  const compiled = compileAutoValues(autoContext)
  const compiledFilters = filters.map(({ arn, condition, autoDynamicFilterValues }) =>
    ({ arn, userRequired: condition === 'user-required', autoValues: compileAutoValues(autoDynamicFilterValues) }))
  const all = [compiled, ...compiledFilters.map(({ autoValues }) => autoValues)]
  const sorted = (headers: string[]): string[] => [...new Set(headers)].sort()
  return {
    autoContext: compiled,
    filters: compiledFilters,
    headers: sorted(all.flatMap(values => values?.headers ?? [])),
    varying: sorted(all.flatMap(values => values?.varying ?? []))
  }
}

/** Rules that derive no context and apply no filter. */
export const noRules = compileContext(undefined)

/**
 * Returns the context, filter and filter values of a request. Values in the request win over derived ones. The filter is the one that the
 * request names, else the first whose condition holds. Without a filter, filter values are dropped. Maps are sorted by key, so that the
 * provider gets the same from all requests that share a cache entry.
 */
export function resolve (rules: ContextRules, request: Asked, surroundings: Surroundings): Resolution {
  if (rules.autoContext === undefined && rules.filters.length === 0 && request.filterValues === undefined) return request
  const { filter, filterValues, context } = explain(rules, request, surroundings)
  return { filter, filterValues: sortedMap(filterValues), context: sortedMap(context) }
}

/** Returns the same as `resolve`, with the values that the rules derived. */
export function explain ({ autoContext, filters }: ContextRules, { userId, filter: named, filterValues, context }: Asked, surroundings: Surroundings): Explanation {
  const chosen = filters.find(({ arn, userRequired }) => named === undefined ? !userRequired || userId !== undefined : arn === named || arn.endsWith(`:filter/${named}`))
  const filter = named ?? chosen?.arn
  const derivedContext = autoContext?.derive(surroundings) ?? none
  const derivedValues = chosen?.autoValues?.derive(surroundings) ?? none
  return {
    filter,
    filterValues: filter === undefined ? undefined : blend(derivedValues, asFilterValue, filterValues),
    context: blend(derivedContext, ({ values }) => values[0], context),
    autoContext: derivedContext,
    autoFilterValues: derivedValues
  }
}

function blend<V> (derived: ReadonlyMap<string, AutoValue>, write: (value: AutoValue) => string | undefined, explicit: Readonly<Record<string, V>> | undefined): Readonly<Record<string, V | string>> | undefined {
  if (derived.size === 0) return explicit
  const blended = Object.fromEntries([...derived].map(([name, value]) => [name, write(value)] as const).filter((entry): entry is [string, string] => entry[1] !== undefined))
  return { ...blended, ...explicit }
}

/**
 * Returns values in Personalize's format for filter values: quoted texts separated by commas, numbers plain. The format has no escape
 * for a quote: a text with a quote would change its meaning, and is left out.
 */
function asFilterValue ({ type, values }: AutoValue): string | undefined {
  const texts = type === 'string' ? values.filter(value => !value.includes('"')).map(value => `"${value}"`) : values
  const text = texts.join(',')
  return text === '' || text.length > longestFilterValue ? undefined : text
}

/** Personalize's limit of one filter value, in characters. */
const longestFilterValue = 1000
