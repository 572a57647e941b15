import type { OriginRequest } from './origin.ts'
import { OriginError } from './origin-error.ts'

const placeholders = ['action', 'namespace', 'recommender', 'userId', 'itemId', 'itemIds', 'numResults'] as const
type Placeholder = typeof placeholders[number]

/** Makes the URLs of requests, from values that can be anything, without their ever leaving the place they are put in. */
export interface UrlTemplate {
  /** Scheme, host and port: as configured, whatever is asked. */
  readonly origin: string
  /** Path and query. @throws OriginError bad-request for a value that would be a step in the path */
  path: (request: OriginRequest) => string
}

/**
 * Compiles `https://host/path/{userId}?n={numResults}`. Every value is percent-encoded.
 * @throws Error saying what is wrong with the template
 */
export function compileUrlTemplate (template: string): UrlTemplate {
  const [, origin, rest = '/'] = /^(https?:\/\/[^/?#{}@\s]+)([/?][^#\s"<>\\]*)?$/.exec(template) ?? []
  if (origin === undefined) throw new Error('expected http:// or https://, a host without placeholders or user, and a path')
  // Text and names of placeholders, in turn.
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
          path += encodeURIComponent(value)
        }
      }
      // Many a server takes an encoded `..` for a step up all the same: such a value has no place in a path.
      if (suspicious && stepInPath.test(path)) throw new OriginError('Http', 'bad-request', { message: 'userId, itemId: "." and ".." cannot be asked of this recommender' })
      return path
    }
  }
}

const stepInPath = /^[^?]*\/(?:\.|%2e){1,2}(?:[/?]|$)/i

function valueOf (request: OriginRequest, name: Placeholder): string {
  const value = request[name]
  const text = Array.isArray(value) ? value.join(',') : String(value ?? '')
  // Half a surrogate pair has no encoding.
  return text.toWellFormed()
}
