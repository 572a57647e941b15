import type { AutoContext, Filters } from './rules.ts'

interface Rule {
  type: string
  header?: string
}

/** The headers that rules about time read: where the user is decides what time it is there, and which season. */
const timeZone = 'cloudfront-viewer-time-zone'
const latitude = 'cloudfront-viewer-latitude'

/** The request headers that the rules of a context and of filters read, in lower case and in order. */
export function headersRead (autoContext: AutoContext | undefined, filters: Filters): string[] {
  const tables = [autoContext, ...filters.map(({ autoDynamicFilterValues }) => autoDynamicFilterValues)]
  const rules = tables.flatMap(table => Object.values(table ?? {}).flatMap(field => field.rules as Rule[]))
  return [...new Set(rules.flatMap(headersOf))].sort()
}

function headersOf ({ type, header }: Rule): string[] {
  if (type === 'header-value') return [header!.toLowerCase()]
  return type === 'season-of-year' ? [timeZone, latitude] : [timeZone]
}
