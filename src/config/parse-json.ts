import { parseTree, printParseErrorCode, type Node, type ParseError } from 'jsonc-parser'
import { escapePointer, type Finding } from '../base/validation.ts'

/** The mistakes in a text that is not JSON, in words. */
const mistakes = {
  InvalidSymbol: 'a word that is neither true, false nor null, or a text without double quotes',
  InvalidNumberFormat: 'a number that JSON does not have',
  PropertyNameExpected: 'expected a key in double quotes',
  ValueExpected: 'expected a value',
  ColonExpected: 'expected ":" after the key',
  CommaExpected: 'expected "," between the members, or the end of the object or list',
  CloseBraceExpected: 'expected "}"',
  CloseBracketExpected: 'expected "]"',
  EndOfFileExpected: 'expected nothing after the end of the document',
  InvalidCommentToken: 'a comment that cannot stand here',
  UnexpectedEndOfComment: 'a comment without an end',
  UnexpectedEndOfString: 'a text without its closing double quote',
  UnexpectedEndOfNumber: 'a number without an end',
  InvalidUnicode: 'expected four hexadecimal digits after "\\u"',
  InvalidEscapeCharacter: 'an escape that JSON does not have after "\\"',
  InvalidCharacter: 'a control character in a text, which JSON writes as an escape'
}

export interface ParsedJson {
  /** The value; undefined if the text is not JSON. */
  value?: unknown
  findings: Finding[]
}

/**
 * Parses JSON with comments and trailing commas (JSONC).
 * @returns the value, and a finding for the first mistake in the text, or for each key that stands twice in one object
 */
export function parseJson (text: string): ParsedJson {
  const errors: ParseError[] = []
  const withoutMark = text.replace(/^\ufeff/, '')
  const tree = parseTree(withoutMark, errors, { allowTrailingComma: true })
  const [error] = errors
  if (error !== undefined || tree === undefined) {
    const before = withoutMark.slice(0, error?.offset ?? 0).split(/\r\n|\n|\r/)
    // The message does not quote the text around the mistake, which must not get into a log.
    const what = error === undefined ? mistakes.ValueExpected : mistakes[printParseErrorCode(error.error) as keyof typeof mistakes]
    return { findings: [{ pointer: '', message: `is not JSON: ${what} at line ${before.length}, column ${before.at(-1)!.length + 1}` }] }
  }
  const findings: Finding[] = []
  return { value: valueOf(tree, '', findings), findings }
}

function valueOf ({ type, children = [], value }: Node, pointer: string, findings: Finding[]): unknown {
  if (type === 'array') return children.map((child, index) => valueOf(child, `${pointer}/${index}`, findings))
  if (type !== 'object') return value
  const members = children.map(({ children: [key, member] = [] }) => ({ key: key!.value as string, member: member! }))
  const seen = new Set<string>()
  for (const { key } of members) {
    if (seen.has(key)) findings.push({ pointer: `${pointer}/${escapePointer(key)}`, message: 'stands twice in the same object; expected it once' })
    seen.add(key)
  }
  return Object.fromEntries(members.map(({ key, member }) => [key, valueOf(member, `${pointer}/${escapePointer(key)}`, findings)]))
}
