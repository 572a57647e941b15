/** How far the gateway lets pages of an origin in: `named` and with credentials, as `any` page without them, or not at all. */
export type Admission = 'named' | 'any' | 'none'

/** Returns how far pages of an origin, as browsers send it in `Origin`, may call the gateway. */
export type AllowedOrigins = (origin: string | undefined) => Admission

export const allowedOriginsFormat = 'expected origins with commas between them: *, an exact one such as https://shop.example, or all below a domain such as https://*.shop.example; without a path and without a slash at the end'

/** RFC 6454 §6.2. A wildcard stands for one or more labels and needs two labels behind it, since `*.com` would let nearly everybody in. */
const exact = /^([a-z][a-z0-9+.-]*):\/\/([a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(:\d{1,5})?$/
const below = /^([a-z][a-z0-9+.-]*):\/\/\*\.((?:[a-z0-9_-]+\.)+[a-z0-9_-]+|localhost)(:\d{1,5})?$/

/** The ports that browsers leave out. */
const ownPort: Readonly<Record<string, string>> = { http: ':80', https: ':443' }

/**
 * Reads the setting that names the origins whose pages may call the gateway.
 * @returns undefined if an entry is no origin
 */
export function readAllowedOrigins (text: string): AllowedOrigins | undefined {
  const entries = text.split(',').map(entry => entry.trim().toLowerCase()).filter(entry => entry !== '')
  if (entries.length === 0) return undefined
  const names = new Set<string>()
  const patterns: RegExp[] = []
  let any = false
  for (const entry of entries) {
    const [, scheme = '', suffix = '', port] = below.exec(entry) ?? []
    if (entry === '*') any = true
    else if (scheme !== '') patterns.push(patternOf(scheme, suffix, port))
    else if (exact.test(entry)) names.add(withoutOwnPort(entry))
    else return undefined
  }
  return origin => {
    if (origin !== undefined && (names.has(origin) || patterns.some(pattern => pattern.test(origin)))) return 'named'
    return any ? 'any' : 'none'
  }
}

function patternOf (scheme: string, suffix: string, port = ''): RegExp {
  const escaped = (text: string): string => text.replace(/[.+]/g, '\\$&')
  return new RegExp(`^${escaped(scheme)}://(?:[a-z0-9_-]+\\.)+${escaped(suffix)}${port === ownPort[scheme] ? '' : port}$`)
}

function withoutOwnPort (origin: string): string {
  const [, scheme = '', , port] = exact.exec(origin)!
  return port !== undefined && port === ownPort[scheme] ? origin.slice(0, -port.length) : origin
}
