import { isJsonNumber } from '../base/json-number.ts'
import type { AutoValue, AutoValues } from './auto-values.ts'
import type { Surroundings } from './surroundings.ts'

/** Properties that were derived from a request: names, and values as JSON texts. */
export type DerivedProperties = ReadonlyArray<readonly [name: string, value: string]>

/** Returns the properties that the rules derive for a request's events. Several values are joined by `|`. A single value has the type that its field declares. */
export function deriveProperties (autoContext: AutoValues | undefined, surroundings: Surroundings): DerivedProperties {
  return [...autoContext?.derive(surroundings) ?? []].map(([name, value]) => [name, asJson(value)])
}

function asJson ({ type, values }: AutoValue): string {
  const text = values.join('|')
  // JSON has no leading zeros.
  const number = text.replace(/^(-?)0+(?=\d)/, '$1')
  return type !== 'string' && isJsonNumber(number) ? number : JSON.stringify(text)
}

/**
 * Returns an event's properties with derived ones put before them. The event's own properties win, and keep their original text.
 * @param properties JSON text of an object
 * @param longest in characters; derived properties that would exceed it are left out
 */
export function addProperties (properties: string | undefined, derived: DerivedProperties, longest: number): string | undefined {
  if (derived.length === 0) return properties
  const own = properties ?? '{}'
  const names = new Set(Object.keys(JSON.parse(own) as object))
  const rest = own.slice(own.indexOf('{') + 1)
  let text = ''
  for (const [name, value] of derived) {
    const member = `${JSON.stringify(name)}:${value},`
    if (!names.has(name) && text.length + member.length + rest.length < longest) text += member
  }
  if (text === '') return properties
  return `{${names.size === 0 ? text.slice(0, -1) : text}${rest}`
}
