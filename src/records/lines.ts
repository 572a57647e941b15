import { StringDecoder } from 'node:string_decoder'

/** Longer lines are refused: something is wrong with the file. */
export const longestLine = 2 * 1024 * 1024

export interface Line {
  /** From 1. */
  number: number
  text: string
}

/**
 * Splits bytes into the lines that are not blank, those of one chunk at a time. Only a line feed ends a line (with a carriage return before
 * it or not): JSON texts may hold every other separator that Unicode knows.
 * @throws RangeError for a line over `longestLine` characters
 */
export async function * readLines (chunks: AsyncIterable<Buffer>): AsyncGenerator<Line[]> {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  let number = 0
  for await (const chunk of chunks) {
    const texts = (rest + decoder.write(chunk)).split('\n')
    rest = texts.pop()!
    if (rest.length > longestLine) throw new RangeError(`line ${number + texts.length + 1} is longer than ${longestLine} characters`)
    const lines = texts.map(text => ({ number: ++number, text: text.endsWith('\r') ? text.slice(0, -1) : text }))
    yield lines.filter(notBlank)
  }
  yield [{ number: number + 1, text: rest + decoder.end() }].filter(notBlank)
}

function notBlank ({ text }: Line): boolean {
  return text.trim() !== ''
}
