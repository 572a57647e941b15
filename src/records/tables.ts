import { Readable } from 'node:stream'
import { UserError } from '../base/user-error.ts'
import { tableHead } from './delimiter.ts'
import type { Format } from './formats.ts'
import { BadLines } from './import-error.ts'
import { longestLine } from './lines.ts'
import { emptyRecord, select, type ReadOptions, type SourceRecord } from './record.ts'

const recordsAtOnce = 5000

interface Row {
  record: string[]
  info: { lines: number }
}

/** The text of a table: its beginning, and all of it. */
export interface TableText {
  head: string
  text: AsyncIterable<string>
}

/**
 * Reads the records of a table with a header line.
 * @throws UserError if a column of `columns` is missing or a column occurs twice; ImportError if a required column is missing
 */
export async function * tableRecords ({ head, text }: TableText, format: Format | undefined, { columns, required = [] }: ReadOptions): AsyncGenerator<SourceRecord[]> {
  const { parse } = await import('csv-parse')
  const wanted = required.map(fields => columns === undefined ? fields : fields.flatMap(field => columns[field] ?? []))
  const { delimiter, preamble } = tableHead(head, format === 'tsv' ? '\t' : ',', wanted)
  let batch: SourceRecord[] = []
  const source = Readable.from(preamble === undefined ? text : without(text, preamble))
  const parser = source.pipe(parse({
    delimiter,
    // Tab-separated values have no quoting: a quote in a title is an ordinary character.
    quote: delimiter === '\t' && format !== 'csv' ? null : '"',
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
    if (header === undefined) header = checkedHeader(record, info.lines, columns, wanted)
    else if (record.length !== header.length) batch.push({ line: info.lines, problem: `expected ${header.length} columns, got ${record.length}` })
    else batch.push({ line: info.lines, record: select(toRecord(header, record), columns) })
    if (batch.length < recordsAtOnce) continue
    yield batch
    batch = []
  }
  yield batch
}

/** Returns the text with its first line emptied, so that the numbers of the lines below it stay. */
async function * without (text: AsyncIterable<string>, preamble: string): AsyncGenerator<string> {
  let isFirst = true
  for await (const chunk of text) {
    yield isFirst ? chunk.replace(preamble, '') : chunk
    isFirst = false
  }
}

function checkedHeader (cells: readonly string[], line: number, columns: ReadOptions['columns'], wanted: ReadonlyArray<readonly string[]>): string[] {
  const header = cells.map(cell => cell.trim())
  const has = `the file has ${listed(header)}`
  const missing = Object.values(columns ?? {}).filter(column => !header.includes(column))
  if (missing.length > 0) throw new UserError(`there is no column ${missing.join(', ')}; ${has}`)
  const lacking = wanted.find(names => !names.some(name => header.includes(name)))
  if (lacking !== undefined) {
    // No line below the header can be sound.
    const bad = new BadLines()
    bad.add(line + 1, `${lacking[0]!}: there is no column ${lacking.join(' or ')}; ${has}`)
    bad.refuse()
  }
  const used = columns === undefined ? header : Object.values(columns)
  const twice = used.find(name => header.indexOf(name) !== header.lastIndexOf(name))
  if (twice !== undefined) throw new UserError(`there is more than one column ${twice === '' ? 'without a name' : twice}; ${has}`)
  return header
}

/** The most characters of a header that an error repeats. */
const mostListed = 500

function listed (header: readonly string[]): string {
  const names = header.map(name => name === '' ? '""' : name).join(', ')
  return names.length > mostListed ? `${names.slice(0, mostListed)}…` : names
}

function toRecord (header: readonly string[], values: readonly string[]): Record<string, unknown> {
  const record = emptyRecord()
  for (let i = 0; i < header.length; i++) record[header[i]!] = values[i]
  return record
}
