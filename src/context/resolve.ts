import type { OriginRequest } from '../origins/origin.ts'
import { compileAutoValues, type AutoValue, type AutoValues } from './auto-values.ts'
import type { AutoValuesConfig, FiltersConfig } from './rules.ts'
import type { Surroundings } from './surroundings.ts'

/** What a variation adds to the requests that it answers. */
export interface ContextRules {
  readonly autoContext: AutoValues | undefined
  /** The first whose condition holds is used. */
  readonly filters: readonly Filter[]
  /** The request headers that all this depends on, in lower case. */
  readonly headers: readonly string[]
}

export interface Filter {
  readonly arn: string
  readonly userRequired: boolean
  readonly autoValues: AutoValues | undefined
}

/** The part of a request that rules decide on. */
export type Resolution = Pick<OriginRequest, 'filter' | 'filterValues' | 'context'>

/** How a resolution came about. */
export interface Explanation extends Resolution {
  readonly autoContext: ReadonlyMap<string, AutoValue>
  readonly autoFilterValues: ReadonlyMap<string, AutoValue>
}

type Asked = Pick<OriginRequest, 'userId'> & Resolution

const none: ReadonlyMap<string, AutoValue> = new Map()

/** Turns what a document says of context and filters into what resolves requests. */
export function compileContext (autoContext: AutoValuesConfig | undefined, filters: FiltersConfig = []): ContextRules {
  const compiled = compileAutoValues(autoContext)
  const compiledFilters = filters.map(({ arn, condition, autoDynamicFilterValues }) =>
    ({ arn, userRequired: condition === 'user-required', autoValues: compileAutoValues(autoDynamicFilterValues) }))
  const headers = [compiled, ...compiledFilters.map(({ autoValues }) => autoValues)].flatMap(values => values?.headers ?? [])
  return { autoContext: compiled, filters: compiledFilters, headers: [...new Set(headers)].sort() }
}

/** No context is derived, and nothing filtered. */
export const noRules = compileContext(undefined)

/**
 * The context, filter and filter values of a request. What the request says itself wins over what is derived. The filter is the one
 * that the request names, else the first whose condition holds; values without a filter mean nothing and are dropped.
 */
export function resolve (rules: ContextRules, request: Asked, surroundings: Surroundings): Resolution {
  return rules.autoContext === undefined && rules.filters.length === 0 && request.filterValues === undefined ? request : explain(rules, request, surroundings)
}

/** As `resolve`, and what the rules found. */
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

type StringMap = Readonly<Record<string, string>>

function blend (derived: ReadonlyMap<string, AutoValue>, write: (value: AutoValue) => string | undefined, explicit: StringMap | undefined): StringMap | undefined {
  if (derived.size === 0) return explicit
  const blended = Object.fromEntries([...derived].map(([name, value]) => [name, write(value)] as const).filter((entry): entry is [string, string] => entry[1] !== undefined))
  return { ...blended, ...explicit }
}

/**
 * As Personalize takes filter values: texts in quotes and separated by commas, numbers plain. There is no way to write a quote inside
 * of one: a text with a quote would say something else than it means, and is left out.
 */
function asFilterValue ({ type, values }: AutoValue): string | undefined {
  const texts = type === 'string' ? values.filter(value => !value.includes('"')).map(value => `"${value}"`) : values
  const text = texts.join(',')
  return text === '' || text.length > longestFilterValue ? undefined : text
}

/** What Personalize takes for one value. */
const longestFilterValue = 1000
