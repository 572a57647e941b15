import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createGunzip } from 'node:zlib'
import { parse } from 'csv-parse'
import { readLines } from './lines.ts'

/** One record of a file, or why there is none in that line. */
export type SourceRecord = { line: number, record: Record<string, unknown> } | { line: number, problem: string }

/** Which column of a file holds which field: field → column. Where absent, fields are called what their columns are. */
export type Columns = Readonly<Record<string, string>>

export interface ReadOptions {
  columns?: Columns | undefined
  /** Told how many bytes of how many have been read. */
  onProgress?: ((read: number, total: number) => void) | undefined
}

type Format = 'jsonl' | 'csv' | 'tsv'

const formats: Readonly<Record<string, Format>> = { jsonl: 'jsonl', ndjson: 'jsonl', json: 'jsonl', csv: 'csv', tsv: 'tsv', tab: 'tsv', txt: 'tsv' }

const recordsAtOnce = 5000

/**
 * Reads a file of records a batch at a time, in bounded memory. Its name tells the format: JSON Lines, or comma- or tab-separated
 * values with a header line; `.gz` behind it says that it is compressed.
 * @throws Error where the name tells no format, or the file cannot be read on
 */
export async function * readRecords (file: string, { columns, onProgress }: ReadOptions = {}): AsyncGenerator<SourceRecord[]> {
  const format = formatOf(file)
  const { size } = await stat(file)
  const source = createReadStream(file, { highWaterMark: 256 * 1024 })
  let read = 0
  source.on('data', chunk => { onProgress?.(read += chunk.length, size) })
  const bytes = file.endsWith('.gz') ? source.pipe(createGunzip()) : source
  source.on('error', error => bytes.destroy(error))
  try {
    yield * format === 'jsonl' ? jsonRecords(bytes, columns) : tableRecords(bytes, format, columns)
  } finally {
    source.destroy()
    bytes.destroy()
  }
}

function formatOf (file: string): Format {
  const extension = file.replace(/\.gz$/, '').split('.').at(-1)!.toLowerCase()
  const format = formats[extension]
  if (format === undefined) throw new Error(`the name of ${file} tells no format; expected one of ${Object.keys(formats).map(known => `.${known}`).join(', ')}, with .gz behind it or not`)
  return format
}

async function * jsonRecords (bytes: AsyncIterable<Buffer>, columns: Columns | undefined): AsyncGenerator<SourceRecord[]> {
  for await (const lines of readLines(bytes)) {
    yield lines.map(({ number, text }) => {
      try {
        const record: unknown = JSON.parse(text)
        if (typeof record !== 'object' || record === null || Array.isArray(record)) return { line: number, problem: 'expected a JSON object' }
        return { line: number, record: select(record as Record<string, unknown>, columns) }
      } catch {
        return { line: number, problem: 'is not JSON' }
      }
    })
  }
}

async function * tableRecords (bytes: NodeJS.ReadableStream, format: 'csv' | 'tsv', columns: Columns | undefined): AsyncGenerator<SourceRecord[]> {
  const parser = bytes.pipe(parse({
    delimiter: format === 'csv' ? ',' : '\t',
    // Tab-separated values know no quotes: one in a title is just that.
    quote: format === 'csv' ? '"' : null,
    bom: true,
    columns: true,
    info: true,
    skip_empty_lines: true,
    max_record_size: 2 * 1024 * 1024
  }))
  bytes.on('error', (error: Error) => parser.destroy(error))
  let batch: SourceRecord[] = []
  for await (const { record, info } of parser as AsyncIterable<{ record: Record<string, string>, info: { lines: number } }>) {
    if (batch.length === 0 && info.lines <= 3) checkHeader(record, columns)
    batch.push({ line: info.lines, record: select(record, columns) })
    if (batch.length < recordsAtOnce) continue
    yield batch
    batch = []
  }
  yield batch
}

function checkHeader (record: Record<string, string>, columns: Columns | undefined): void {
  const missing = Object.values(columns ?? {}).filter(column => !Object.hasOwn(record, column))
  if (missing.length > 0) throw new Error(`there is no column ${missing.join(', ')}; the file has ${Object.keys(record).join(', ')}`)
}

function select (record: Record<string, unknown>, columns: Columns | undefined): Record<string, unknown> {
  if (columns === undefined) return record
  // Without a prototype, a column called `__proto__` is a key like any other.
  const selected = Object.create(null) as Record<string, unknown>
  for (const field in columns) {
    const column = columns[field]!
    if (Object.hasOwn(record, column)) selected[field] = record[column]
  }
  return selected
}
