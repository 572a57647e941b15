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
  /** The fields that a table must have a column for; of each list, one. */
  required?: ReadonlyArray<readonly string[]> | undefined
  /** Receives the number of bytes read so far, and the total. */
  onProgress?: ((read: number, total: number) => void) | undefined
}

/** Returns the fields that the columns name, under their names. */
export function select (record: Record<string, unknown>, columns: Columns | undefined): Record<string, unknown> {
  if (columns === undefined) return record
  const selected = emptyRecord()
  for (const field in columns) {
    const column = columns[field]!
    if (Object.hasOwn(record, column)) selected[field] = record[column]
  }
  return selected
}

/** Returns an object without a prototype, so that a column named `__proto__` is an ordinary one. */
export function emptyRecord (): Record<string, unknown> {
  return Object.create(null) as Record<string, unknown>
}
