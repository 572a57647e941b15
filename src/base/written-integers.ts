/**
 * The integers of JSON bodies whose text is another one than the usual text of their value, such as `4711.0`, `1e3` and `-0`: by the
 * object or list that contains them, then by key. Other numbers have no entry.
 */
const texts = new WeakMap<object, Map<string, string>>()

/**
 * Notes how a value was written, if it is such an integer. An earlier value with the same key is forgotten.
 * @param written undefined if the value is no number
 * @returns whether it is such an integer
 */
export function noteWritten (container: object, key: string | number, written: string | undefined, value: unknown): boolean {
  const noted = texts.get(container)
  const isOdd = written !== undefined && Number.isInteger(value) && String(value) !== written
  if (!isOdd) noted?.delete(String(key))
  else if (noted === undefined) texts.set(container, new Map([[String(key), written]]))
  else noted.set(String(key), written)
  return isOdd
}

/** Returns the text of an integer below 2^53 that was written in digits; undefined for any other value. */
export function digitsOfInteger (value: unknown, container: object, key: string | number): string | undefined {
  if (!Number.isSafeInteger(value)) return undefined
  const written = texts.get(container)?.get(String(key)) ?? String(value)
  return /^-?\d+$/.test(written) ? written : undefined
}
