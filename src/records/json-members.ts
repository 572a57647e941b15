/** A member of a JSON object, by its offsets in the object's text. */
export interface Member {
  /** Decoded: `"\u0069d"` is `id`. */
  readonly key: string
  /** Offset of its key. */
  readonly from: number
  /** Offset of its value. */
  readonly valueFrom: number
  /** Offset after its value. */
  readonly to: number
}

const quote = 0x22
const backslash = 0x5C
const comma = 0x2C
const openings: ReadonlySet<number> = new Set([0x7B, 0x5B])
const closings: ReadonlySet<number> = new Set([0x7D, 0x5D])

/**
 * Returns the members of an object, in order; a repeated key gives two members.
 * JSON.parse would lose the original text of values: 12345678901234567890 and 1.0 would become other texts.
 * @param text a JSON object, known to be valid
 */
export function membersOf (text: string): Member[] {
  const members: Member[] = []
  let at = skipSpace(text, text.indexOf('{') + 1)
  while (text.charCodeAt(at) === quote) {
    const from = at
    at = endOfString(text, at)
    const key = keyOf(text.slice(from, at))
    const valueFrom = skipSpace(text, text.indexOf(':', at) + 1)
    const to = endOfValue(text, valueFrom)
    members.push({ key, from, valueFrom, to })
    at = skipSpace(text, to)
    if (text.charCodeAt(at) === comma) at = skipSpace(text, at + 1)
  }
  return members
}

function keyOf (written: string): string {
  return written.includes('\\') ? JSON.parse(written) as string : written.slice(1, -1)
}

function isSpace (code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0A || code === 0x0D
}

function skipSpace (text: string, at: number): number {
  while (isSpace(text.charCodeAt(at))) at++
  return at
}

/** Returns the offset after a string. @param at offset of its opening quote */
function endOfString (text: string, at: number): number {
  let end = text.indexOf('"', at + 1)
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1)
  return end + 1
}

/** Returns whether an odd number of backslashes precedes a character. */
function isEscaped (text: string, at: number): boolean {
  let first = at
  while (text.charCodeAt(first - 1) === backslash) first--
  return (at - first) % 2 === 1
}

function endOfValue (text: string, from: number): number {
  const first = text.charCodeAt(from)
  if (first === quote) return endOfString(text, from)
  return openings.has(first) ? endOfNested(text, from) : endOfPlain(text, from)
}

/** Returns the offset after an object or a list of any depth. */
function endOfNested (text: string, from: number): number {
  let depth = 0
  let at = from
  do {
    const code = text.charCodeAt(at)
    if (code === quote) {
      at = endOfString(text, at)
      continue
    }
    if (openings.has(code)) depth++
    else if (closings.has(code)) depth--
    at++
  } while (depth > 0)
  return at
}

/** Returns the offset after a number, true, false or null. */
function endOfPlain (text: string, from: number): number {
  let at = from
  while (!isSpace(text.charCodeAt(at)) && text.charCodeAt(at) !== comma && !closings.has(text.charCodeAt(at))) at++
  return at
}
