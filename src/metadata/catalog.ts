import { randomUUID } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { BadLines } from '../records/import-error.ts'
import { membersOf, type Member } from '../records/json-members.ts'
import { readRecords, type Columns, type ReadOptions, type SoundRecord } from '../records/read-records.ts'
import { isId } from '../base/schema.ts'
import { UserError } from '../base/user-error.ts'

/** A catalog of items in a file. */
export interface Catalog {
  /** Its name in messages. */
  readonly name: string
  /** Identifies the state of a catalog, such as an object's ETag. */
  readonly tag: string
  /** Time at which it was made, in epoch ms. */
  readonly madeAt: number
  /**
   * Reads the items in batches, in bounded memory. Each call starts from the beginning.
   * @throws ImportError after reading everything, if any line is bad; UserError if reading cannot go on
   */
  items: () => AsyncIterable<readonly Item[]>
}

export interface Item {
  readonly itemId: string
  /** All members but the id, as the JSON text of an object. Members of JSON Lines keep their original text, with every digit of a number. */
  readonly metadata: string
}

/** Thrown for a catalog whose content a store refuses, so that a retry is pointless. */
export class CatalogError extends UserError {}

export interface CatalogOptions extends ReadOptions {
  /** The field that holds the id of an item, unless `columns` names its column; absent: `id`. */
  idField?: string | undefined
}

/** Returns the catalog in a file: JSON Lines, CSV or TSV by its name and content, compressed or not. */
export async function openCatalog (file: string, options: CatalogOptions = {}): Promise<Catalog> {
  const { mtimeMs } = await stat(file)
  // The tag is random, so that a file is always imported: no property of a file proves that its content is unchanged.
  return { name: file, tag: randomUUID(), madeAt: mtimeMs, items: () => readItems(file, options) }
}

/** Returns several catalogs as one. If an id occurs in several of them, its item in the last one counts. */
export function joinCatalogs (catalogs: readonly Catalog[]): Catalog {
  const [first] = catalogs
  if (first === undefined || catalogs.length === 1) return first!
  async function * items (): AsyncGenerator<readonly Item[]> {
    for (const { name, items } of catalogs) {
      try {
        yield * items()
      } catch (cause) {
        if (!(cause instanceof UserError) || cause.message.includes(name)) throw cause
        throw new UserError(`${name}: ${cause.message}`, { cause })
      }
    }
  }
  return { name: `${first.name} and ${catalogs.length - 1} more`, tag: randomUUID(), madeAt: Math.max(...catalogs.map(({ madeAt }) => madeAt)), items }
}

async function * readItems (file: string, { idField = 'id', ...options }: CatalogOptions): AsyncGenerator<readonly Item[]> {
  const key = options.columns === undefined ? idField : 'id'
  const bad = new BadLines()
  for await (const batch of readRecords(file, { ...options, required: [[key]] })) {
    const items: Item[] = []
    for (const source of batch) {
      const item = 'problem' in source ? source.problem : toItem(source, key, options.columns)
      if (typeof item === 'string') bad.add(source.line, item)
      else items.push(item)
    }
    yield items
  }
  bad.refuse()
}

/** Returns the item of a record, or a message that says why the record is invalid. */
function toItem ({ record, text }: SoundRecord, key: string, columns: Columns | undefined): Item | string {
  const { itemId, metadata } = text === undefined ? ofRow(record, key) : ofJson(text, record, key, columns)
  return typeof itemId === 'string' && isItemId(itemId) ? { itemId, metadata } : `${key}: expected a string of 1 to 256 characters`
}

/** Returns whether a catalog may contain an id. UTF-8, in which ids are stored, lacks lone surrogates: two ids with one could become equal. */
export function isItemId (text: string): boolean {
  return isId(text) && text.isWellFormed()
}

interface Parts {
  itemId: unknown
  metadata: string
}

/** Returns the parts of a table's row. Programs that write tables with columns of a fixed width pad the ids with blanks. */
function ofRow (record: Record<string, unknown>, key: string): Parts {
  const { [key]: id, ...metadata } = record
  return { itemId: typeof id === 'string' ? id.trim() : id, metadata: JSON.stringify(metadata) }
}

function ofJson (text: string, record: Record<string, unknown>, key: string, columns: Columns | undefined): Parts {
  const id = record[key]
  const members = membersOf(text)
  const idColumn = columns === undefined ? key : columns['id']
  return {
    itemId: typeof id === 'number' ? valueOf(text, members, idColumn) : id,
    metadata: columns === undefined ? without(text, members, key) : selected(text, members, columns)
  }
}

/** Returns the text of a member's value. Of a repeated key, the last value counts. */
function valueOf (text: string, members: readonly Member[], key: string | undefined): string | undefined {
  const member = members.findLast(member => member.key === key)
  return member && text.slice(member.valueFrom, member.to)
}

/** Returns the text of the object without the id. */
function without (text: string, members: readonly Member[], idField: string): string {
  return `{${members.filter(({ key }) => key !== idField).map(({ from, to }) => text.slice(from, to)).join(',')}}`
}

function selected (text: string, members: readonly Member[], columns: Columns): string {
  const metadata: string[] = []
  for (const field in columns) {
    const value = field === 'id' ? undefined : valueOf(text, members, columns[field])
    if (value !== undefined) metadata.push(`${JSON.stringify(field)}:${value}`)
  }
  return `{${metadata.join(',')}}`
}
