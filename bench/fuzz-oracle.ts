import { Ajv, type ValidateFunction } from 'ajv'

/** A parameter of the OpenAPI document. */
export interface Parameter {
  name: string
  in: string
  required?: boolean
  schema?: Record<string, unknown>
  /** For a parameter whose text is JSON. */
  content?: Record<string, { schema: Record<string, unknown> }>
}

export interface Operation {
  path: string
  method: string
  operationId: string
  parameters: Parameter[]
  /** A body that the document shows. */
  body: unknown
}

/** The verdict of the document on a request: allowed, excluded, or not decided. */
export type Verdict = 'allowed' | 'excluded' | 'undecided'

/**
 * Filters are refused where a variation cannot apply them or does not know their name. The document cannot tell which names exist.
 */
const undecided = new Set(['filter', 'filterValues'])

export const longestUrl = 8192

/** Returns the operations of an OpenAPI document. */
export function operationsOf (document: { paths: object }): Operation[] {
  return Object.entries(document.paths as Record<string, Record<string, { operationId: string, parameters?: Parameter[], requestBody?: { content: Record<string, { example?: unknown }> } }>>)
    .flatMap(([path, item]) => Object.entries(item).map(([method, { operationId, parameters = [], requestBody }]) =>
      ({ path, method: method.toUpperCase(), operationId, parameters, body: requestBody?.content['application/json']?.example })))
}

export interface Oracle {
  /** Returns whether an operation allows raw texts in the path and a raw query. It reads them as OpenAPI says, and knows no code of the gateway. */
  judge: (operation: Operation, path: ReadonlyMap<string, string>, query: ReadonlyArray<readonly [string, string]>) => Verdict
}

export function createOracle (): Oracle {
  const ajv = new Ajv({ strict: false, validateSchema: false })
  const compiled = new Map<object, ValidateFunction>()

  function isValid (schema: Record<string, unknown>, value: unknown): boolean {
    let validate = compiled.get(schema)
    if (validate === undefined) compiled.set(schema, validate = ajv.compile(schema))
    return validate(value)
  }

  /** @throws Error for a text that has no value of this kind */
  function valueOf ({ schema = {}, content }: Parameter, raw: string, decode: (text: string) => string): unknown {
    if (content !== undefined) return JSON.parse(decode(raw)) as unknown
    if (schema['type'] === 'array') return raw.split(',').map(decode)
    const text = decode(raw)
    if (schema['type'] !== 'integer') return text
    if (!/^[0-9]+$/.test(text)) throw new Error('no integer')
    return Number(text)
  }

  function allows (parameter: Parameter, raw: string, decode: (text: string) => string): boolean {
    try {
      return isValid(parameter.schema ?? parameter.content!['application/json']!.schema, valueOf(parameter, raw, decode))
    } catch {
      return false
    }
  }

  return {
    judge ({ parameters }, path, query) {
      const decodeQuery = (text: string): string => decodeURIComponent(text.replaceAll('+', ' '))
      let given: Array<readonly [string, string]>
      try {
        given = query.map(([name, raw]) => [decodeQuery(name), raw] as const)
        for (const [, raw] of query) decodeURIComponent(raw)
        for (const raw of path.values()) decodeURIComponent(raw)
      } catch {
        return 'excluded'
      }
      let isOpen = false
      for (const parameter of parameters) {
        if (parameter.in === 'header') continue
        const raws = parameter.in === 'path' ? [path.get(parameter.name)!] : given.filter(([name, raw]) => name === parameter.name && raw !== '').map(([, raw]) => raw)
        if (raws.length === 0 && parameter.required !== true) continue
        const isFine = raws.length === 1 && allows(parameter, raws[0]!, parameter.in === 'path' ? decodeURIComponent : decodeQuery)
        if (!isFine) return 'excluded'
        if (undecided.has(parameter.name)) isOpen = true
      }
      return isOpen ? 'undecided' : 'allowed'
    }
  }
}
