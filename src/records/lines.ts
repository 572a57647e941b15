import { UserError } from '../base/user-error.ts'

/** In characters. Longer lines are refused, as the file must be broken. */
export const longestLine = 2 * 1024 * 1024

export interface Line {
  /** From 1. */
  number: number
  text: string
}

/**
 * Splits text into lines, and yields the non-blank lines of one chunk at a time. Only a line feed ends a line (with or without a carriage
 * return before it): JSON texts may contain all other line separators of Unicode.
 * @throws UserError for a line over `longest` characters
 */
export async function * readLines (chunks: AsyncIterable<string>, longest = longestLine): AsyncGenerator<Line[]> {
  let rest = ''
  let number = 0
  for await (const chunk of chunks) {
    const texts = rest + chunk
    const lines: Line[] = []
    let start = 0
    for (let end = texts.indexOf('\n'); end >= 0; end = texts.indexOf('\n', start)) {
      number++
      if (end > start) add(lines, texts.slice(start, end))
      start = end + 1
    }
    rest = texts.slice(start)
    if (rest.length > longest) throw tooLong(number + 1)
    yield lines
  }
  const last: Line[] = []
  number++
  add(last, rest)
  yield last

  function add (lines: Line[], text: string): void {
    if (text.length > longest) throw tooLong(number)
    if (text.trim() !== '') lines.push({ number, text: text.endsWith('\r') ? text.slice(0, -1) : text })
  }
  function tooLong (line: number): UserError {
    return new UserError(`line ${line} is longer than ${longest} characters`)
  }
}
