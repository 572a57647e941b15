import { UserError } from '../user-error.ts'

/** Longer lines are refused: something is wrong with the file. */
export const longestLine = 2 * 1024 * 1024

export interface Line {
  /** From 1. */
  number: number
  text: string
}

/**
 * Splits text into the lines that are not blank, those of one chunk at a time. Only a line feed ends a line (with a carriage
 * return before it or not): JSON texts may hold every other separator that Unicode knows.
 * @throws UserError for a line over `longest` characters
 */
export async function * readLines (chunks: AsyncIterable<string>, longest = longestLine): AsyncGenerator<Line[]> {
  let rest = ''
  let number = 0
  for await (const chunk of chunks) {
    const texts = (rest + chunk).split('\n')
    rest = texts.pop()!
    const long = [...texts, rest].findIndex(text => text.length > longest)
    if (long >= 0) throw new UserError(`line ${number + long + 1} is longer than ${longest} characters`)
    const lines = texts.map(text => ({ number: ++number, text: text.endsWith('\r') ? text.slice(0, -1) : text }))
    yield lines.filter(notBlank)
  }
  yield [{ number: number + 1, text: rest }].filter(notBlank)
}

function notBlank ({ text }: Line): boolean {
  return text.trim() !== ''
}
