import { sortedByKey } from '../base/sorted.ts'
import type { OriginRequest } from './origin.ts'
import { OriginError } from './origin-error.ts'

/** The placeholders with a meaning of their own. Any other one stands for the query parameter of its name. */
const known = ['action', 'namespace', 'recommender', 'userId', 'itemId', 'itemIds', 'numResults', 'filter', 'filterValues', 'context'] as const
type Known = typeof known[number]

/** A template for the URLs of requests. No value, whatever its text, can change the URL outside of its placeholder. */
export interface UrlTemplate {
  /** The scheme, host and port, which do not depend on the request. */
  readonly origin: string
  readonly placeholders: ReadonlySet<string>
  /** The query parameters of callers that it has placeholders for, sorted. */
  readonly parameters: readonly string[]
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
  const placeholders = new Set(parts.filter((_, i) => i % 2 === 1))
  const unusable = [...placeholders].filter(name => !parameterName.test(name))
  if (parts.some((part, i) => i % 2 === 0 && /[{}]/.test(part))) throw new Error('expected every brace to be part of a placeholder')
  if (unusable.length > 0) throw new Error(`{${unusable.join('}, {')}} is no placeholder; expected ${known.map(name => `{${name}}`).join(', ')} or the name of a query parameter`)
  if (stepInPath.test(parts.join('x'))) throw new Error('expected no "." and no ".." in the path')
  const pieces = parts.map((part, i) => i % 2 === 1 ? part : part.toWellFormed().replaceAll(/[^\x21-\x7e]/gu, encodeURIComponent))

  return {
    origin: new URL(origin).origin,
    placeholders,
    parameters: [...placeholders].filter(name => !isKnown(name)).sort(),
    path (request) {
      let path = ''
      const dotted = new Set<string>()
      let suspicious = false
      for (let i = 0; i < pieces.length; i++) {
        if (i % 2 === 0) {
          path += pieces[i]!
        } else {
          const value = valueOf(request, pieces[i]!)
          if (value.startsWith('.')) dotted.add(pieces[i]!)
          suspicious ||= value === '' || value.startsWith('.')
          path += value
        }
      }
      // Many servers treat an encoded `..` as a step up, too, so that the path must not contain such a value.
      if (suspicious && stepInPath.test(path)) throw new OriginError('Http', 'bad-request', { message: `${[...dotted.size > 0 ? dotted : placeholders].join(', ')}: "." and ".." cannot be asked of this recommender` })
      return path
    }
  }
}

const stepInPath = /^[^?]*\/(?:\.|%2e){1,2}(?:[/?]|$)/i

const parameterName = /^[^{}/?&=%]{1,128}$/

function isKnown (name: string): name is Known {
  return known.some(other => other === name)
}

function valueOf (request: OriginRequest, name: string): string {
  return textOf(isKnown(name) ? request[name] : request.parameters?.get(name))
}

/**
 * Returns the percent-encoded text of a value. In a list, the commas between ids stay plain, and those that belong to an id are encoded. A
 * map is JSON in the order of its keys, as equal maps are equal requests.
 */
function textOf (value: OriginRequest[Known]): string {
  if (Array.isArray(value)) return value.map(encoded).join(',')
  return encoded(typeof value === 'object' ? JSON.stringify(sortedByKey(value)) : String(value ?? ''))
}

/** A lone surrogate has no percent-encoding. */
function encoded (text: string): string {
  return encodeURIComponent(text.toWellFormed())
}
