import { readNumber } from './numbers.ts'
import type { AutoValuesConfig, ValueType } from './rules.ts'
import { ruleTypes, type Reader, type Rule } from './rule-types.ts'
import type { Surroundings } from './surroundings.ts'
import { mapValue, type Scalar } from './value-mapping.ts'

/** What was derived for a field. */
export interface AutoValue {
  readonly type: ValueType
  /** As texts, none twice, in the order of the rules; at least one. */
  readonly values: readonly string[]
  /** The rules that they come from; none where they are the default. */
  readonly rules: readonly MatchedRule[]
}

export interface MatchedRule {
  readonly type: string
  /** Among the rules of its field, from 0. */
  readonly position: number
}

/** Derives the values of fields from a request; a field for which nothing holds is not among them. */
export interface AutoValues {
  derive: (surroundings: Surroundings) => ReadonlyMap<string, AutoValue>
  /** The request headers that the rules read, in lower case. */
  readonly headers: readonly string[]
}

/** Longer values are taken for no value: Personalize takes none. */
const longestValue = 1000

interface Field {
  readonly name: string
  readonly type: ValueType
  readonly evaluateAll: boolean
  readonly fallback: AutoValue | undefined
  readonly rules: ReadonlyArray<{ read: Reader, valueMappings: Rule['valueMappings'], matched: MatchedRule }>
}

/** Turns the rules of a document into what evaluates them. */
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
  return {
    headers: [...new Set(rules.flatMap(rule => ruleTypes.get(rule.type)!.headers(rule)))].sort(),
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

/** A value as the text of its type; undefined where it is none of that type. */
export function asText (value: Scalar, type: ValueType): string | undefined {
  const text = String(value)
  if (type === 'string') return text === '' || text.length > longestValue ? undefined : text
  const number = text.trim()
  return (type === 'float' ? readNumber(number) !== undefined : integer.test(number)) ? number.replace(/^\+/, '') : undefined
}
