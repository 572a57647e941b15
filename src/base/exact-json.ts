import { LosslessNumber, parse, stringify } from 'lossless-json'

/**
 * Finds the numbers of a JSON text that a double may not give back as written: integers of 16 digits or more, fractions, exponents and
 * minus zero. It also finds some texts that look like such numbers, which only costs time.
 */
const suspects = /(?:^|[[:,])\s*(-?\d+[.eE][\d.eE+-]*|-?\d{16,}|-0)/g

/** Returns whether a double holds a number so that its text is the same as written, and no other integer has the same double. */
export function isExact (written: string): boolean {
  const value = Number(written)
  return String(value) === written && (!Number.isInteger(value) || Number.isSafeInteger(value))
}

/** Returns the numbers of a valid JSON text that are not exact, as written; and perhaps parts of texts that look like such numbers. */
export function inexactNumbers (text: string): Set<string> {
  const found = new Set<string>()
  for (const [, written] of text.matchAll(suspects)) {
    if (!isExact(written!)) found.add(written!)
  }
  return found
}

/**
 * Parses JSON without rounding: a number that is not exact becomes `toValue` of it, by default a `LosslessNumber`. JSON.parse does all of
 * the work for a text that has no such number.
 * @throws SyntaxError; RangeError for a text that is nested too deeply
 */
export function parseExactly (text: string, toValue: (written: string) => unknown = written => new LosslessNumber(written)): unknown {
  const value: unknown = JSON.parse(text)
  if (inexactNumbers(text).size === 0) return value
  return parse(text, undefined, {
    parseNumber: written => isExact(written) ? Number(written) : toValue(written),
    // As JSON.parse does.
    onDuplicateKey: ({ newValue }) => newValue
  })
}

/** Returns the digits of a parsed number as they were written; undefined if the value is no number. */
export function digitsOf (value: unknown): string | undefined {
  if (typeof value === 'number') return String(value)
  return value instanceof LosslessNumber ? value.value : undefined
}

/** Returns the JSON text of a value that `parseExactly` may have returned, or that has such values in it. */
export function stringifyExactly (value: unknown): string {
  const text = JSON.stringify(value)
  return text.includes(mark) ? stringify(value, withoutMark)! : text
}

/** The member by which the library knows its numbers, as JSON. */
const mark = '"isLosslessNumber":true'

/** Takes that member out of an object of a provider: the library would write the object's text as a number, whatever it is. */
function withoutMark (_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || value instanceof LosslessNumber || !('isLosslessNumber' in value)) return value
  const { isLosslessNumber, ...rest } = value
  return rest
}
