import { readNumber } from './numbers.ts'
import type { AutoValuesConfig, ValueType } from './rules.ts'
import { ruleTypes, type Reader, type Rule } from './rule-types.ts'
import type { Surroundings } from './surroundings.ts'
import { mapValue, type Scalar } from './value-mapping.ts'

/** The values derived for a field. */
export interface AutoValue {
  readonly type: ValueType
  /** At least one, as distinct texts, in the order of the rules. */
  readonly values: readonly string[]
  /** The rules that gave the values; empty for the default value. */
  readonly rules: readonly MatchedRule[]
}

export interface MatchedRule {
  readonly type: string
  /** Position among the rules of its field, from 0. */
  readonly position: number
}

/** Compiled rules that derive the values of fields from a request. */
export interface AutoValues {
  /** Returns the derived values by field. A field without a matching rule and without a default is absent. */
  derive: (surroundings: Surroundings) => ReadonlyMap<string, AutoValue>
  /** The request headers that the rules read, in lower case. */
  readonly headers: readonly string[]
  /** Those by which downstream caches have to tell the values apart. */
  readonly varying: readonly string[]
}

/** In characters. Personalize refuses longer values, so they count as absent. */
const longestValue = 1000

interface Field {
  readonly name: string
  readonly type: ValueType
  readonly evaluateAll: boolean
  readonly fallback: AutoValue | undefined
  readonly rules: ReadonlyArray<{ read: Reader, valueMappings: Rule['valueMappings'], matched: MatchedRule }>
}

/** Compiles the rules of a document; undefined if there are no fields. */
export function compileAutoValues (config: AutoValuesConfig | undefined): AutoValues | undefined {
  const fields = Object.entries(config ?? {}).map(([name, { type, default: otherwise, evaluateAll = false, rules }]): Field => {
    const text = otherwise === undefined ? undefined : asText(otherwise, type)
    return {
      name,
      type,
      evaluateAll,
      fallback: text === undefined ? undefined : { type, values: [text], rules: [] },
      rules: (rules as Rule[]).map((rule, position) => ({ read: ruleTypes.get(rule.type)!.reader(rule), valueMappings: rule.valueMappings, matched: { type: rule.type, position } }))
    }
  })
  if (fields.length === 0) return undefined
  const rules = Object.values(config!).flatMap(field => field.rules as Rule[])
  const varying = varyingHeaders(rules)
  return {
    headers: [...new Set([...varying, ...rules.flatMap(rule => ruleTypes.get(rule.type)!.unvaried ?? [])])].sort(),
    varying,
    derive (surroundings) {
      const derived = new Map<string, AutoValue>()
      for (const field of fields) {
        const value = evaluate(field, surroundings)
        if (value !== undefined) derived.set(field.name, value)
      }
      return derived
    }
  }
}

/** Returns the request headers by which downstream caches have to tell the values of rules apart, in lower case and sorted. */
export function varyingHeaders (rules: readonly Rule[]): string[] {
  return [...new Set(rules.flatMap(rule => ruleTypes.get(rule.type)!.headers(rule)))].sort()
}

function evaluate ({ type, evaluateAll, fallback, rules }: Field, surroundings: Surroundings): AutoValue | undefined {
  const values: string[] = []
  const matches: MatchedRule[] = []
  for (const { read, valueMappings, matched } of rules) {
    const found = read(surroundings)
    const mapped = found === undefined ? undefined : mapValue(found, valueMappings)
    const text = mapped === undefined ? undefined : asText(mapped, type)
    if (text === undefined) continue
    matches.push(matched)
    if (!values.includes(text)) values.push(text)
    if (!evaluateAll) break
  }
  return values.length === 0 ? fallback : { type, values, rules: matches }
}

const integer = /^[+-]?\d{1,19}$/

/** Returns a value as text; undefined if it is not of the given type. */
export function asText (value: Scalar, type: ValueType): string | undefined {
  const text = String(value)
  if (type === 'string') return text === '' || text.length > longestValue ? undefined : text
  const number = text.trim()
  return (type === 'float' ? readNumber(number) !== undefined : integer.test(number)) ? number.replace(/^\+/, '') : undefined
}
