/** A JSON object that a body gave as an object, as text: with the digits of its numbers as they came, and without spaces. */
export class JsonText {
  readonly text: string

  constructor (text: string) {
    this.text = text
  }

  toJSON (): unknown {
    return JSON.parse(this.text)
  }
}

/** Half a surrogate pair, in JSON text: only an escape can write it, since UTF-8 cannot. */
const halves = /\\u[dD][89a-fA-F]/

/** Returns whether a text, and all keys and strings of the JSON in it, are whole characters. @param text valid JSON */
export function isWholeJson (text: string): boolean {
  if (!text.isWellFormed()) return false
  if (!halves.test(text)) return true
  let whole = true
  JSON.parse(text, (key, value: unknown) => {
    whole &&= key.isWellFormed() && (typeof value !== 'string' || value.isWellFormed())
    return value
  })
  return whole
}
