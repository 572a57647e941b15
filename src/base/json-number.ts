/** Returns whether a text is a JSON number (RFC 8259 §6). */
export function isJsonNumber (text: string): boolean {
  return /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text)
}
