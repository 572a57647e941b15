import { isJsonNumber } from '../base/json-number.ts'
import type { AutoValue, AutoValues } from './auto-values.ts'
import type { Surroundings } from './surroundings.ts'

/** Properties that are derived from a request: names, and values as JSON texts. */
export type DerivedProperties = ReadonlyArray<readonly [name: string, value: string]>

/** What the rules say of the events of a request: several values are joined by `|`, and a single number is one. */
export function deriveProperties (autoContext: AutoValues | undefined, surroundings: Surroundings): DerivedProperties {
  return [...autoContext?.derive(surroundings) ?? []].map(([name, value]) => [name, asJson(value)])
}

function asJson ({ type, values }: AutoValue): string {
  const text = values.join('|')
  return type !== 'string' && isJsonNumber(text) ? text : JSON.stringify(text)
}

/**
 * Puts derived properties before those that an event has: what it says itself wins, and stays as it is written.
 * @param properties JSON text of an object
 * @param longest in characters; what would go beyond is left out
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
