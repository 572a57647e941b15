import type { TProperties } from 'typebox'
import { GatewayError } from '../base/errors.ts'
import { decodeQueryText, readQuery } from '../base/url-query.ts'
import { readItemIds, readMap } from './parameters.ts'

/** A function that decodes the escapes of a parameter. */
type Decode = (raw: string) => string

/**
 * Returns the values of a query by its schema. A parameter that is absent, empty or not in the schema has no value. Validation refuses a
 * text that cannot be read as its schema says.
 * @param extra parameters that are taken besides those of the schema, as text
 * @throws GatewayError 400 naming the parameter
 */
export function readQueryValues (properties: TProperties, query: string, extra: readonly string[] = []): Record<string, unknown> {
  const given = readQuery(query)
  const values: Record<string, unknown> = {}
  for (const [name, schema] of Object.entries(properties)) {
    const raw = given.get(name)
    if (raw === undefined) continue
    if (raw.length > 1) throw new GatewayError('InvalidParameter', `${name}: expected one value, got ${raw.length}`)
    const value = readValue(name, schema, raw[0]!, decodeQueryText)
    if (value !== undefined) values[name] = value
  }
  for (const name of extra) {
    const raw = given.get(name)
    if (raw !== undefined) Object.defineProperty(values, name, { value: raw.length === 1 ? decodeQueryText(raw[0]!) : raw, enumerable: true })
  }
  return values
}

/**
 * Returns the value of a parameter by its schema. The separators of a list are the commas of the raw text: an encoded comma belongs to an
 * id. An integer is written in decimal digits; any other text stays a text, which the schema does not allow.
 * @throws GatewayError 400 naming the parameter
 */
export function readValue (name: string, schema: object, raw: string, decode: Decode): unknown {
  const { type } = schema as { type?: unknown }
  if (type === 'array') return readItemIds(name, raw, decode)
  const text = decode(raw)
  if (type === 'object') return readMap(name, text)
  return type === 'integer' && /^[0-9]+$/.test(text) ? Number(text) : text
}
