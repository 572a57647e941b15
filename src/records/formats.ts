import { UserError } from '../base/user-error.ts'

export type Format = 'jsonl' | 'csv' | 'tsv'

const formats: ReadonlyMap<string, Format> = new Map([
  ['jsonl', 'jsonl'], ['ndjson', 'jsonl'], ['jsonlines', 'jsonl'], ['json', 'jsonl'], ['csv', 'csv'], ['tsv', 'tsv'], ['tab', 'tsv'], ['txt', 'tsv']
])

/** Numbers behind the last dot are no format: those of parts, such as `items.000`, `items.0000_part_00` and Spark's `part-00000.c000`. */
const number = /^c?\d+(_part_\d+)?$/

/** Returns the name without the extension of gzip, and whether it had one. */
export function withoutGzip (name: string): { plain: string, compressed: boolean } {
  const plain = name.replace(/\.gz(ip)?$/i, '')
  return { plain, compressed: plain !== name }
}

/** Returns the last extension of a file's name, apart from that of gzip, in lower case; an empty string if it has none. */
export function extensionOf (path: string): string {
  const name = withoutGzip(path.slice(path.lastIndexOf('/') + 1)).plain
  const extension = name.slice(1).split('.').slice(1).at(-1)?.toLowerCase() ?? ''
  return number.test(extension) ? '' : extension
}

/** Returns whether a file of this name may hold records: its extension is a known format, or it has none. */
export function isRecordsFile (name: string): boolean {
  const extension = extensionOf(name)
  return extension === '' || formats.has(extension)
}

/** Returns the format that a name tells; undefined if it has no extension. @throws UserError if the extension is unknown */
export function formatOf (file: string): Format | undefined {
  const extension = extensionOf(file)
  const format = formats.get(extension)
  if (format === undefined && extension !== '') throw unknownFormat(file)
  return format
}

/** Returns the error for a file of which neither the name nor the content tells the format. */
export function unknownFormat (file: string): UserError {
  return new UserError(`the name of ${file} tells no format; expected one of ${[...formats.keys()].map(known => `.${known}`).join(', ')}, with .gz behind it or not`)
}
