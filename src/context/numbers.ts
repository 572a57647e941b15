const decimal = /^[+-]?\d{1,40}(?:\.\d{0,40})?(?:[eE][+-]?\d{1,3})?$/

/** What a text says as a number; undefined where it says none. */
export function readNumber (text: string | undefined): number | undefined {
  const trimmed = text?.trim()
  return trimmed !== undefined && decimal.test(trimmed) ? Number(trimmed) : undefined
}
