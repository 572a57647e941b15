import Type, { type Static } from 'typebox'
import { strict } from '../base/schema.ts'
import { readNumber } from './numbers.ts'

/** A string or a number in a configuration document. */
export const scalar = Type.Union([Type.String({ maxLength: 1000 }), Type.Number()])
export type Scalar = Static<typeof scalar>

const ValueMappingSchema = strict({
  operator: Type.Enum(['equals', 'less-than', 'greater-than', 'contains', 'starts-with', 'ends-with']),
  value: scalar,
  mapTo: scalar
})

export type ValueMapping = Static<typeof ValueMappingSchema>

export const valueMappings = Type.Optional(Type.Array(ValueMappingSchema, { maxItems: 1000 }))

/** Returns the `mapTo` of the first mapping that matches a value; the value itself without mappings; undefined if none matches. */
export function mapValue (value: Scalar, mappings: readonly ValueMapping[] | undefined): Scalar | undefined {
  if (mappings === undefined || mappings.length === 0) return value
  return mappings.find(mapping => holds(mapping, value))?.mapTo
}

/** Returns whether a mapping matches. Compares numbers if either side is one (then a text that is no number never matches), else texts. */
function holds ({ operator, value: expected }: ValueMapping, value: Scalar): boolean {
  switch (operator) {
    case 'contains': return String(value).includes(String(expected))
    case 'starts-with': return String(value).startsWith(String(expected))
    case 'ends-with': return String(value).endsWith(String(expected))
  }
  if (typeof value === 'string' && typeof expected === 'string') return compare(operator, value, expected)
  const [left, right] = [readNumber(String(value)), readNumber(String(expected))]
  return left !== undefined && right !== undefined && compare(operator, left, right)
}

function compare<T extends Scalar> (operator: 'equals' | 'less-than' | 'greater-than', left: T, right: T): boolean {
  if (operator === 'equals') return left === right
  return operator === 'less-than' ? left < right : left > right
}
