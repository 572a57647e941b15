import { isUtf8, type Buffer } from 'node:buffer'
import { GatewayError } from './errors.ts'
import { createJsonReader, type JsonReader, type JsonShape } from './json-reader.ts'
import type { Turn } from './turns.ts'

/** The bytes between two looks at the clock, about a quarter of a millisecond of work. */
const budget = 16 * 1024

const lineEnd = 0x0A

/** Returns the value of a JSON body. @throws GatewayError 400 */
export async function readJsonBody (bytes: Buffer, shape: JsonShape, turn: Turn): Promise<unknown> {
  checkText(bytes)
  return (await readThrough(bytes, shape, turn)).value
}

/**
 * Returns the values of the lines of a body, without empty lines; the error in the place of a line that is not JSON.
 * @param most the most lines; one more is read, so that the caller sees that there are too many
 * @throws GatewayError 400
 */
export async function readJsonLines (bytes: Buffer, shape: JsonShape, turn: Turn, most: number): Promise<unknown[]> {
  checkText(bytes)
  const values: unknown[] = []
  let left = shape.most
  for (let from = 0; from < bytes.length && values.length <= most;) {
    const end = bytes.indexOf(lineEnd, from)
    const line = bytes.subarray(from, end < 0 ? bytes.length : end)
    from += line.length + 1
    if (isBlank(line)) continue
    try {
      const { value, count } = await readThrough(line, { ...shape, most: left }, turn)
      values.push(value)
      left -= count
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error
      values.push(error)
    }
    if (turn.over) await turn.next()
  }
  return values
}

async function readThrough (bytes: Buffer, shape: JsonShape, turn: Turn): Promise<JsonReader> {
  const reader = createJsonReader(bytes, shape)
  while (!reader.read(budget)) if (turn.over) await turn.next()
  return reader
}

function checkText (bytes: Buffer): void {
  if (bytes.length === 0) throw new GatewayError('InvalidBody', 'body: expected JSON, got nothing')
  if (!isUtf8(bytes)) throw new GatewayError('InvalidBody', 'body: is not JSON in UTF-8; its bytes are not UTF-8')
}

function isBlank (line: Buffer): boolean {
  return line.every(code => code === 0x20 || code === 0x09 || code === 0x0D)
}
