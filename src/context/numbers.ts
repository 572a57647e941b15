const decimal = /^[+-]?\d{1,40}(?:\.\d{1,40})?(?:[eE][+-]?\d{1,3})?$/

/** What a text says as a number; undefined where it says none, or one that is too large to be one to who reads it. */
export function readNumber (text: string | undefined): number | undefined {
  const trimmed = text?.trim()
  const number = trimmed !== undefined && decimal.test(trimmed) ? Number(trimmed) : NaN
  return Number.isFinite(number) ? number : undefined
}
