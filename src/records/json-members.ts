/** A member of a JSON object, by its places in the object's text. */
export interface Member {
  /** Decoded: `"\u0069d"` is `id`. */
  readonly key: string
  /** Where its key begins, */
  readonly from: number
  /** where its value begins, */
  readonly valueFrom: number
  /** and the place after its value. */
  readonly to: number
}

const quote = 0x22
const backslash = 0x5C
const comma = 0x2C
const openings: ReadonlySet<number> = new Set([0x7B, 0x5B])
const closings: ReadonlySet<number> = new Set([0x7D, 0x5D])

/**
 * The members of an object, in their order; a key that comes twice is two members.
 * A parser would tell the values, but not how they were written: 12345678901234567890 and 1.0 come out of it as other texts.
 * @param text a JSON object, known to be sound
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

/** @param at where its opening quote is */
function endOfString (text: string, at: number): number {
  let end = text.indexOf('"', at + 1)
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1)
  return end + 1
}

/** Whether an odd number of backslashes is before it. */
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

/** An object's or a list's; how deep it is nested does not matter. */
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

/** A number's, or that of true, false or null. */
function endOfPlain (text: string, from: number): number {
  let at = from
  while (!isSpace(text.charCodeAt(at)) && text.charCodeAt(at) !== comma && !closings.has(text.charCodeAt(at))) at++
  return at
}
