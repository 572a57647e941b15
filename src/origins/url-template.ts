import type { OriginRequest } from './origin.ts'
import { OriginError } from './origin-error.ts'

const placeholders = ['action', 'namespace', 'recommender', 'userId', 'itemId', 'itemIds', 'numResults'] as const
type Placeholder = typeof placeholders[number]

/** A template for the URLs of requests. No value, whatever its text, can change the URL outside of its placeholder. */
export interface UrlTemplate {
  /** The scheme, host and port, which do not depend on the request. */
  readonly origin: string
  /** Returns the path and query. @throws OriginError bad-request if a value would make a path segment "." or ".." */
  path: (request: OriginRequest) => string
}

/**
 * Compiles a template such as `https://host/path/{userId}?n={numResults}`. The compiled template percent-encodes every value.
 * @throws Error that describes the mistake in the template
 */
export function compileUrlTemplate (template: string): UrlTemplate {
  const [, origin, rest = '/'] = /^(https?:\/\/[^/?#{}@\s]+)([/?][^#\s"<>\\]*)?$/.exec(template) ?? []
  if (origin === undefined) throw new Error('expected http:// or https://, a host without placeholders or user, and a path')
  // Texts and names of placeholders alternate.
  const parts = (rest.startsWith('?') ? `/${rest}` : rest).split(/\{([^{}]*)\}/)
  const unknown = parts.filter((part, i) => i % 2 === 1 && !placeholders.some(known => known === part))
  if (parts.some((part, i) => i % 2 === 0 && /[{}]/.test(part))) throw new Error('expected every brace to be part of a placeholder')
  if (unknown.length > 0) throw new Error(`{${unknown.join('}, {')}} is no placeholder; expected ${placeholders.map(name => `{${name}}`).join(', ')}`)
  if (stepInPath.test(parts.join('x'))) throw new Error('expected no "." and no ".." in the path')
  const pieces = parts.map((part, i) => i % 2 === 1 ? part as Placeholder : part.toWellFormed().replaceAll(/[^\x21-\x7e]/gu, encodeURIComponent))

  return {
    origin: new URL(origin).origin,
    path (request) {
      let path = ''
      let suspicious = false
      for (let i = 0; i < pieces.length; i++) {
        if (i % 2 === 0) {
          path += pieces[i]!
        } else {
          const value = valueOf(request, pieces[i] as Placeholder)
          suspicious ||= value === '' || value.startsWith('.')
          path += value
        }
      }
      // Many servers treat an encoded `..` as a step up, too, so that the path must not contain such a value.
      if (suspicious && stepInPath.test(path)) throw new OriginError('Http', 'bad-request', { message: 'userId, itemId: "." and ".." cannot be asked of this recommender' })
      return path
    }
  }
}

const stepInPath = /^[^?]*\/(?:\.|%2e){1,2}(?:[/?]|$)/i

/** Returns the percent-encoded text of a value. In a list, the commas between ids stay plain, and those that belong to an id are encoded. */
function valueOf (request: OriginRequest, name: Placeholder): string {
  const value = request[name]
  return Array.isArray(value) ? value.map(encoded).join(',') : encoded(String(value ?? ''))
}

/** A lone surrogate has no percent-encoding. */
function encoded (text: string): string {
  return encodeURIComponent(text.toWellFormed())
}
