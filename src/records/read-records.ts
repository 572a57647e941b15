import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { UserError } from '../base/user-error.ts'
import { decodeUtf8 } from './decode.ts'
import { longestLine, readLines } from './lines.ts'

/** One record of a file, or why there is none in that line. */
export type SourceRecord = SoundRecord | { line: number, problem: string }

export interface SoundRecord {
  line: number
  /** Its fields: of a table they are all texts. */
  record: Record<string, unknown>
  /** The whole object as it was written, in JSON Lines: numbers may have lost digits on their way into the record. */
  text?: string
}

/** Which column of a file holds which field: field → column. Where absent, fields are called what their columns are. */
export type Columns = Readonly<Record<string, string>>

export interface ReadOptions {
  columns?: Columns | undefined
  /** Told how many bytes of how many have been read. */
  onProgress?: ((read: number, total: number) => void) | undefined
}

type Format = 'jsonl' | 'csv' | 'tsv'

const formats: ReadonlyMap<string, Format> = new Map([['jsonl', 'jsonl'], ['ndjson', 'jsonl'], ['json', 'jsonl'], ['csv', 'csv'], ['tsv', 'tsv'], ['tab', 'tsv'], ['txt', 'tsv']])

const recordsAtOnce = 5000

/**
 * Reads a file of records a batch at a time, in bounded memory. Its name tells the format: JSON Lines, or comma- or tab-separated
 * values with a header line; `.gz` behind it says that it is compressed.
 * @throws UserError where the name tells no format, a column is missing, or the file cannot be read on
 */
export async function * readRecords (file: string, { columns, onProgress }: ReadOptions = {}): AsyncGenerator<SourceRecord[]> {
  const format = formatOf(file)
  const text = readText(file, onProgress)
  yield * format === 'jsonl' ? jsonRecords(text, columns) : tableRecords(text, format, columns)
}

/**
 * Reads a text file, unpacked where its name ends with `.gz`, a chunk at a time.
 * @param onProgress told how many bytes of how many have been read
 * @throws UserError where it is not UTF-8 or not a sound .gz file
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

/** Whether the name of a file tells a format. */
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
    // Tab-separated values know no quotes: one in a title is just that.
    quote: format === 'csv' ? '"' : null,
    // Files are put together of parts, and a header line can end otherwise than the lines below it.
    record_delimiter: ['\r\n', '\n', '\r'],
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
    on_skip: error => { batch.push({ line: (error as { lines?: number } | undefined)?.lines ?? 0, problem: 'is not sound: check its quotes' }) },
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

/** Without a prototype, so that a column called `__proto__` is one like any other. */
function emptyRecord (): Record<string, unknown> {
  return Object.create(null) as Record<string, unknown>
}
