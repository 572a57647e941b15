const decimal = /^[+-]?\d{1,40}(?:\.\d{1,40})?(?:[eE][+-]?\d{1,3})?$/

/** Returns the decimal number in a text; undefined if there is none, or if it is beyond the range of a double. */
export function readNumber (text: string | undefined): number | undefined {
  const trimmed = text?.trim()
  const number = trimmed !== undefined && decimal.test(trimmed) ? Number(trimmed) : NaN
  return Number.isFinite(number) ? number : undefined
}
