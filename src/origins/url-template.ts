import type { OriginRequest } from './origin.ts'
import { OriginError } from './origin-error.ts'

const placeholders = ['action', 'namespace', 'recommender', 'userId', 'itemId', 'itemIds', 'numResults'] as const
type Placeholder = typeof placeholders[number]

/** Makes the URL of a request, from values that can be anything, without their ever leaving the place they are put in. */
export type UrlTemplate = (request: OriginRequest) => URL

/**
 * Compiles `https://host/path/{userId}?n={numResults}`. Every value is percent-encoded; the host is as configured.
 * @throws Error saying what is wrong with the template
 */
export function compileUrlTemplate (template: string): UrlTemplate {
  const [, origin, rest] = /^(https?:\/\/[^/?#{}@\s]+)([/?][^#\s]*)?$/.exec(template) ?? []
  if (origin === undefined) throw new Error('expected http:// or https://, a host without placeholders or user, and a path')
  const unknown = [...rest?.matchAll(/\{([^{}]*)\}/g) ?? []].map(([, name]) => name).filter(name => !placeholders.some(known => known === name))
  if (/[{}]/.test(rest?.replaceAll(/\{[^{}]*\}/g, '') ?? '')) throw new Error('expected every brace to be part of a placeholder')
  if (unknown.length > 0) throw new Error(`{${unknown.join('}, {')}} is no placeholder; expected ${placeholders.map(name => `{${name}}`).join(', ')}`)
  const host = new URL(origin).host

  return request => {
    const filled = (rest ?? '/').replaceAll(/\{([^{}]*)\}/g, (_, name) => encodeURIComponent(valueOf(request, name as Placeholder)))
    const [path = ''] = filled.split('?', 1)
    // A URL parser takes an encoded `..` for a step up all the same: such a value has no place in a path.
    if (path.split('/').some(segment => /^(\.|%2e){1,2}$/i.test(segment))) {
      throw new OriginError('Http', 'bad-request', { message: 'userId, itemId: "." and ".." cannot be asked of this recommender' })
    }
    const url = new URL(origin + filled)
    if (url.host !== host || url.username !== '') throw new OriginError('Http', 'bad-request')
    return url
  }
}

function valueOf (request: OriginRequest, name: Placeholder): string {
  const value = request[name]
  const text = Array.isArray(value) ? value.join(',') : String(value ?? '')
  // Half a surrogate pair has no encoding.
  return text.toWellFormed()
}
