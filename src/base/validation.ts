import { Compile } from 'typebox/schema'
import { Settings } from 'typebox/system'
import type { Static, TSchema } from 'typebox'

// Report all mistakes at once instead of the default of eight, within a bound.
Settings.Set({ maxErrors: 1000 })

/** One mistake in a value: its place, and a message that names the expected value. */
export interface Finding {
  /** A JSON pointer (RFC 6901); empty for the value itself. */
  pointer: string
  message: string
}

/** The part of a JSON schema that `expectation` reads. */
interface SchemaNode {
  [keyword: string]: unknown
  type?: string
  const?: unknown
  enum?: unknown[]
  anyOf?: SchemaNode[]
  pattern?: string
  description?: string
  minimum?: number
  maximum?: number
  exclusiveMinimum?: number
  minLength?: number
  maxLength?: number
  minItems?: number
  maxItems?: number
  minProperties?: number
  maxProperties?: number
  patternProperties?: Record<string, unknown>
}

export type Checker<S extends TSchema> = (value: unknown, pointer?: string) => { value: Static<S>, findings: Finding[] }

/**
 * Returns a function that lists all mistakes in a value by a schema, which it compiles with the first value.
 * @returns a function that returns the findings, and the value typed by the schema; use the value only if there are no findings
 */
export function checker<S extends TSchema> (schema: S): Checker<S> {
  let compiled: ReturnType<typeof Compile<S>> | undefined
  return (value, pointer = '') => {
    // The compiler of plain JSON schemas: typebox/compile does the same by many more modules. Most starts need only some of the checkers.
    const validator = compiled ??= Compile(schema)
    const findings: Finding[] = []
    if (validator.Check(value)) return { value, findings }
    const [, errors] = validator.Errors(value)
    for (const error of errors) {
      const at = pointer + error.instancePath
      const node = resolve(schema, error.schemaPath)
      if (error.keyword === 'required') {
        for (const key of (error.params).requiredProperties) {
          const property = (node['properties'] as Record<string, SchemaNode> | undefined)?.[key]
          findings.push({ pointer: `${at}/${escapePointer(key)}`, message: `is missing; expected ${property ? expectation(property) : 'a value'}` })
        }
      } else if (error.keyword === 'boolean') {
        const names = resolve(schema, error.schemaPath.replace(/\/[^/]*$/, '')).patternProperties
        findings.push({ pointer: at, message: names ? `is not a valid name here; expected ${Object.keys(names).join(' or ')}` : 'is not a known key here' })
        // A validator stops at a name that it does not know. The mistakes below it are of interest all the same.
        for (const named of Object.values(names ?? {})) findings.push(...checkerOf(named as TSchema)(valueAt(value, error.instancePath), at).findings)
      } else if (error.keyword !== 'additionalProperties') {
        findings.push({ pointer: at, message: `expected ${expectation(node)}` })
      }
    }
    return { value: value as Static<S>, findings: withoutNested(findings) }
  }
}

const namedCheckers = new WeakMap<TSchema, Checker<TSchema>>()

/** Returns the checker of what has a name in a schema, compiling it with the first invalid name. */
function checkerOf (schema: TSchema): Checker<TSchema> {
  let check = namedCheckers.get(schema)
  if (check === undefined) namedCheckers.set(schema, check = checker(schema))
  return check
}

/** Returns the value that a JSON pointer leads to. */
function valueAt (value: unknown, pointer: string): unknown {
  return pointer.split('/').slice(1).reduce((node, key) => (node as Record<string, unknown>)[unescapePointer(key)], value)
}

function unescapePointer (key: string): string {
  return key.replaceAll('~1', '/').replaceAll('~0', '~')
}

/** Returns a description of the values that a schema accepts, such as "an integer from 1 to 500". */
export function expectation (node: SchemaNode): string {
  if (node.const !== undefined) return JSON.stringify(node.const)
  if (node.enum) return `one of ${node.enum.map(value => JSON.stringify(value)).join(', ')}`
  if (node.anyOf) return [...new Set(node.anyOf.map(expectation))].join(' or ')
  switch (node.type) {
    case 'integer': return `an integer${range(node.minimum, node.maximum)}`
    case 'number': return `a number${range(node.minimum ?? node.exclusiveMinimum, node.maximum)}`
    case 'boolean': return 'true or false'
    case 'array': return `a list${range(node.minItems, node.maxItems, ' items')}`
    case 'object': return `an object${range(node.minProperties, node.maxProperties, ' keys')}`
    case 'string': return `a string${range(node.minLength, node.maxLength, ' characters')}${node.pattern ? ` matching ${node.pattern}` : ''}`
    default: return node.description ?? 'a valid value'
  }
}

/** Escapes a key for a JSON pointer (RFC 6901). */
export function escapePointer (key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1')
}

function range (low: number | undefined, high: number | undefined, unit = ''): string {
  const kind = unit === '' ? '' : ' of'
  if (low !== undefined && high !== undefined) return `${kind || ' from'} ${low} to ${high}${unit}`
  if (low !== undefined) return `${kind} at least ${low}${unit}`
  if (high !== undefined) return `${kind} at most ${high}${unit}`
  return ''
}

/** Returns the part of a schema that a validator's schema path ("#/properties/a/items") leads to. */
export function resolve (schema: object, schemaPath: string): SchemaNode {
  let node = schema as SchemaNode
  for (const segment of schemaPath.split('/').slice(1)) {
    const next = node[unescapePointer(segment)]
    if (typeof next !== 'object' || next === null) return node
    node = next as SchemaNode
  }
  return node
}

/** Returns the findings without repeated ones, which a union gives when several of its branches fail in the same way. */
function withoutNested (findings: Finding[]): Finding[] {
  const seen = new Set<string>()
  return findings.filter(({ pointer, message }) => {
    const known = seen.has(pointer + message)
    seen.add(pointer + message)
    return !known
  })
}
