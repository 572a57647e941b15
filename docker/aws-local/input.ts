import type { Static, TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { Refusal } from './refusal.ts'

/**
 * Compiles a schema into a reader of JSON bodies. The reader ignores members that are not in the schema, as the services do.
 * @throws (the reader) Refusal naming each invalid member
 */
export function reader<S extends TSchema> (schema: S): (body: Buffer) => Static<S> {
  const validator = Compile(schema)
  return body => {
    const value = parse(body)
    if (validator.Check(value)) return value
    const errors = [...validator.Errors(value)].map(({ instancePath, message }) => `${instancePath === '' ? 'the input' : instancePath.slice(1)} ${message}`)
    throw new Refusal('400', `${errors.length} validation error${errors.length === 1 ? '' : 's'} detected: ${errors.join('; ')}`)
  }
}

function parse (body: Buffer): unknown {
  try {
    return body.length === 0 ? {} : JSON.parse(body.toString())
  } catch {
    throw new Refusal('400', 'the body is not JSON', { code: 'SerializationException' })
  }
}

/** Returns the object in a member's JSON text. @throws Refusal for any other text */
export function objectIn (text: string, name: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch {}
  throw new Refusal('400', `${name} must be the JSON text of an object`)
}
