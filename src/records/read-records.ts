import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { UserError } from '../base/user-error.ts'
import { decodeUtf8 } from './decode.ts'
import { decompressed } from './decompress.ts'
import { formatOf, unknownFormat, withoutGzip } from './formats.ts'
import { longestLine, readLines } from './lines.ts'
import { select, type Columns, type ReadOptions, type SourceRecord } from './record.ts'
import { tableRecords, type TableText } from './tables.ts'

export type { Columns, ReadOptions, SoundRecord, SourceRecord } from './record.ts'

/**
 * Reads a file of records in batches, in bounded memory. Name and content determine the format: JSON Lines, or a table with a header line,
 * whose delimiter is recognised. Both can be compressed with gzip.
 * @throws UserError if neither tells the format, a column is missing, or the file cannot be read further
 */
export async function * readRecords (file: string, options: ReadOptions = {}): AsyncGenerator<SourceRecord[]> {
  const format = formatOf(file)
  const text = readText(file, options.onProgress)
  try {
    const begun = await begin(text)
    if (format === undefined && begun.head.trim() === '') throw unknownFormat(file)
    const isJson = format === 'jsonl' || /^\s*\{\s*["}]/.test(begun.head)
    yield * isJson ? jsonRecords(begun.text, options.columns) : tableRecords(begun, format, options)
  } finally {
    await text.return(undefined)
  }
}

/**
 * Reads a text file in chunks, decompressed if it is gzip.
 * @param onProgress receives the number of bytes read so far, and the total
 * @throws UserError if the file is not UTF-8, or its name ends with `.gz` and it is not a sound .gz file
 */
export async function * readText (file: string, onProgress: ReadOptions['onProgress']): AsyncGenerator<string> {
  const { size } = await stat(file)
  const source = createReadStream(file, { highWaterMark: 256 * 1024 })
  async function * counted (): AsyncGenerator<Buffer> {
    let read = 0
    for await (const chunk of source as AsyncIterable<Buffer>) {
      onProgress?.(read += chunk.length, size)
      yield chunk
    }
  }
  try {
    yield * decodeUtf8(decompressed(counted(), file, withoutGzip(file).compressed))
  } catch (error) {
    const { code = '' } = error as { code?: string }
    if (code.startsWith('Z_')) throw new UserError(`${file} is not a sound .gz file`, { cause: error })
    if (error instanceof UserError && error.message === notUtf8) throw new UserError(`${file} is not UTF-8: save it as UTF-8, with or without a byte order mark`, { cause: error })
    throw error
  } finally {
    source.destroy()
  }
}

const notUtf8 = 'the file is not UTF-8'

/** Reads a text until its first line with characters other than blanks is whole. */
async function begin (text: AsyncGenerator<string>): Promise<TableText> {
  let head = ''
  while (!/[\r\n]/.test(head.trimStart()) && head.length <= longestLine) {
    const next = await text.next()
    if (next.done === true) break
    head += next.value
  }
  async function * whole (): AsyncGenerator<string> {
    yield head
    yield * text
  }
  return { head, text: whole() }
}

async function * jsonRecords (text: AsyncIterable<string>, columns: Columns | undefined): AsyncGenerator<SourceRecord[]> {
  for await (const lines of readLines(text)) {
    yield lines.map(({ number, text }) => {
      try {
        const record: unknown = JSON.parse(text)
        if (typeof record !== 'object' || record === null || Array.isArray(record)) return { line: number, problem: 'expected a JSON object' }
        return { line: number, record: select(record as Record<string, unknown>, columns), text }
      } catch {
        return { line: number, problem: 'is not JSON' }
      }
    })
  }
}
