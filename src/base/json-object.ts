import { GatewayError } from './errors.ts'
import { isWholeJson, JsonText } from './json-text.ts'

/**
 * Returns the JSON text of an object that a caller gave as an object or as JSON text. The object of a body is a `JsonText`.
 * @param longest in characters
 * @param name its place in the body, for the error message
 * @throws GatewayError 400 that names it
 */
export function jsonObjectText (given: string | object, longest: number, name: string): string {
  const text = typeof given === 'string' ? given : given instanceof JsonText ? given.text : stringify(given)
  if (text === undefined || text.length > longest) throw new GatewayError('InvalidBody', `${name}: expected at most ${longest} characters of JSON`)
  // The text of a `JsonText` was checked when it was read.
  if (given instanceof JsonText) return text
  if (!isJsonObject(text)) throw new GatewayError('InvalidBody', `${name}: expected a JSON object, or the text of one`)
  // Half a surrogate pair has no UTF-8 encoding, in which the text is sent and stored.
  if (!isWholeJson(text)) throw new GatewayError('InvalidBody', `${name}: expected a JSON object of whole characters; it has half a surrogate pair`)
  return text
}

/** Returns the JSON text; undefined for an object that is nested too deeply for JSON.stringify, whose text would be too long anyway. */
function stringify (value: object): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}

/** Returns whether a text is the JSON of an object. */
export function isJsonObject (text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}
