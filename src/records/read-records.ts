import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { UserError } from '../base/user-error.ts'
import { decodeUtf8 } from './decode.ts'
import { longestLine, readLines } from './lines.ts'

/** One record of a file, or the reason why a line is invalid. */
export type SourceRecord = SoundRecord | { line: number, problem: string }

export interface SoundRecord {
  line: number
  /** The record's fields. In a CSV or TSV file, all values are texts. */
  record: Record<string, unknown>
  /** In JSON Lines: the original text of the object, as numbers in `record` may have lost digits. */
  text?: string
}

/** The file's column of each field: field → column. Without it, each field has the name of its column. */
export type Columns = Readonly<Record<string, string>>

export interface ReadOptions {
  columns?: Columns | undefined
  /** Receives the number of bytes read so far, and the total. */
  onProgress?: ((read: number, total: number) => void) | undefined
}

type Format = 'jsonl' | 'csv' | 'tsv'

const formats: ReadonlyMap<string, Format> = new Map([['jsonl', 'jsonl'], ['ndjson', 'jsonl'], ['json', 'jsonl'], ['csv', 'csv'], ['tsv', 'tsv'], ['tab', 'tsv'], ['txt', 'tsv']])

const recordsAtOnce = 5000

/**
 * Reads a file of records in batches, in bounded memory. The extension determines the format: JSON Lines, or comma- or tab-separated
 * values with a header line; an additional `.gz` means that the file is compressed.
 * @throws UserError if the extension is unknown, a column is missing, or the file cannot be read further
 */
export async function * readRecords (file: string, { columns, onProgress }: ReadOptions = {}): AsyncGenerator<SourceRecord[]> {
  const format = formatOf(file)
  const text = readText(file, onProgress)
  yield * format === 'jsonl' ? jsonRecords(text, columns) : tableRecords(text, format, columns)
}

/**
 * Reads a text file in chunks, decompressed if its name ends with `.gz`.
 * @param onProgress receives the number of bytes read so far, and the total
 * @throws UserError if the file is not UTF-8, or not a valid .gz file
 */
export async function * readText (file: string, onProgress: ReadOptions['onProgress']): AsyncGenerator<string> {
  const { size } = await stat(file)
  const source = createReadStream(file, { highWaterMark: 256 * 1024 })
  let read = 0
  source.on('data', chunk => { onProgress?.(read += chunk.length, size) })
  const bytes = file.endsWith('.gz') ? source.pipe(createGunzip()) : source
  source.on('error', error => bytes.destroy(error))
  try {
    yield * decodeUtf8(bytes)
  } catch (error) {
    const { code = '' } = error as { code?: string }
    throw code.startsWith('Z_') ? new UserError(`${file} is not a sound .gz file`, { cause: error }) : error
  } finally {
    source.destroy()
    bytes.destroy()
  }
}

/** Returns whether the extension of a file is a known format. */
export function isRecordsFile (name: string): boolean {
  return formats.has(extensionOf(name))
}

function extensionOf (name: string): string {
  return name.replace(/\.gz$/, '').split('.').at(-1)!.toLowerCase()
}

function formatOf (file: string): Format {
  const format = formats.get(extensionOf(file))
  if (format === undefined) throw new UserError(`the name of ${file} tells no format; expected one of ${[...formats.keys()].map(known => `.${known}`).join(', ')}, with .gz behind it or not`)
  return format
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

interface Row {
  record: string[]
  info: { lines: number }
}

async function * tableRecords (text: AsyncIterable<string>, format: 'csv' | 'tsv', columns: Columns | undefined): AsyncGenerator<SourceRecord[]> {
  const { parse } = await import('csv-parse')
  let batch: SourceRecord[] = []
  const source = Readable.from(text)
  const parser = source.pipe(parse({
    delimiter: format === 'csv' ? ',' : '\t',
    // Tab-separated values have no quoting: a quote in a title is an ordinary character.
    quote: format === 'csv' ? '"' : null,
    // In files that were concatenated from parts, the header line and the lines below it can have different line endings.
    record_delimiter: ['\r\n', '\n', '\r'],
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
    on_skip: error => { batch.push({ line: (error as { lines?: number } | undefined)?.lines ?? 0, problem: 'is malformed: check its quotes' }) },
    max_record_size: longestLine
  }))
  source.on('error', (error: Error) => parser.destroy(error))
  let header: string[] | undefined
  for await (const { record, info } of parser as AsyncIterable<Row>) {
    if (header === undefined) header = checkedHeader(record, columns)
    else if (record.length !== header.length) batch.push({ line: info.lines, problem: `expected ${header.length} columns, got ${record.length}` })
    else batch.push({ line: info.lines, record: select(toRecord(header, record), columns) })
    if (batch.length < recordsAtOnce) continue
    yield batch
    batch = []
  }
  yield batch
}

function checkedHeader (header: string[], columns: Columns | undefined): string[] {
  const missing = Object.values(columns ?? {}).filter(column => !header.includes(column))
  if (missing.length > 0) throw new UserError(`there is no column ${missing.join(', ')}; the file has ${header.join(', ')}`)
  return header
}

function toRecord (header: readonly string[], values: readonly string[]): Record<string, unknown> {
  const record = emptyRecord()
  for (let i = 0; i < header.length; i++) record[header[i]!] = values[i]
  return record
}

function select (record: Record<string, unknown>, columns: Columns | undefined): Record<string, unknown> {
  if (columns === undefined) return record
  const selected = emptyRecord()
  for (const field in columns) {
    const column = columns[field]!
    if (Object.hasOwn(record, column)) selected[field] = record[column]
  }
  return selected
}

/** Returns an object without a prototype, so that a column named `__proto__` is an ordinary one. */
function emptyRecord (): Record<string, unknown> {
  return Object.create(null) as Record<string, unknown>
}
