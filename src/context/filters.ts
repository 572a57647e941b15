import type { Filters } from './rules.ts'

interface FilterRequest {
  userId?: string | undefined
  filter?: string | undefined
  filterValues?: Readonly<Record<string, string>> | undefined
}

/**
 * The filter of a request: the one it names, else the first configured one whose condition holds. Values without a filter mean
 * nothing and are dropped.
 */
export function selectFilter (filters: Filters, { userId, filter, filterValues }: FilterRequest): Pick<FilterRequest, 'filter' | 'filterValues'> {
  const chosen = filter ?? filters.find(({ condition }) => condition === undefined || userId !== undefined)?.arn
  return chosen === undefined ? { filter: undefined, filterValues: undefined } : { filter: chosen, filterValues }
}
