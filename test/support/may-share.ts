/** A request with its response, as a cache sees them. Header names are in lower case. */
export interface Exchange {
  method: string
  requestHeaders: Readonly<Record<string, string>>
  status: number
  responseHeaders: Readonly<Record<string, number | string | string[] | undefined>>
}

/** RFC 9110 §15.1: a cache may store responses with these statuses without explicit freshness. */
const heuristicallyCacheable = new Set([200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501])

/**
 * Returns whether a shared cache may store a response, by RFC 9111 §3 and §3.5, or use it to freshen a stored one (§4.3.4). A response that
 * is `private` for some fields only (§5.2.2.7) may be stored without them.
 */
export function mayShare ({ method, requestHeaders, status, responseHeaders }: Exchange): boolean {
  const said = directivesOf(responseHeaders['cache-control']?.toString())
  if (method !== 'GET' && method !== 'HEAD') return false
  if (said.has('no-store')) return false
  if (said.has('private') && said.get('private') === undefined) return false
  const allowed = said.has('public') || said.has('s-maxage') || said.has('must-revalidate')
  if ('authorization' in requestHeaders && !allowed) return false
  const fresh = said.has('public') || said.has('s-maxage') || said.has('max-age') || responseHeaders['expires'] !== undefined
  return fresh || status === 304 || heuristicallyCacheable.has(status)
}

/** Returns directives by lower-case name, with their arguments. Commas in quotes do not separate. A repeated one counts as its strictest. */
export function directivesOf (field: string | undefined): Map<string, string | undefined> {
  const directives = new Map<string, string | undefined>()
  for (const [, name, argument] of (field ?? '').matchAll(/([^\s",=]+)(?:=("(?:[^"\\]|\\.)*"|[^\s",]*))?/g)) {
    const key = name!.toLowerCase()
    if (!directives.has(key) || argument === undefined) directives.set(key, argument)
  }
  return directives
}
