import { randomUUID } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { BadLines } from '../records/import-error.ts'
import { membersOf, type Member } from '../records/json-members.ts'
import { readRecords, type Columns, type ReadOptions, type SoundRecord } from '../records/read-records.ts'
import { isId } from '../base/schema.ts'
import { UserError } from '../base/user-error.ts'

/** A catalog of items in a file. */
export interface Catalog {
  /** What it is called in messages. */
  readonly name: string
  /** Tells one state of a catalog from another, such as an object's ETag. */
  readonly tag: string
  /** When it was made, in epoch ms. */
  readonly madeAt: number
  /**
   * Its items, a batch at a time, from the beginning each time it is asked for; in bounded memory.
   * @throws ImportError once all has been read, where any line is bad; UserError where it cannot be read on
   */
  items: () => AsyncIterable<readonly Item[]>
}

export interface Item {
  readonly itemId: string
  /** Everything but the id: the JSON text of an object. Of JSON Lines its members stand there as they were written, digit by digit. */
  readonly metadata: string
}

/** A catalog whose content a store does not take: another try would end the same. */
export class CatalogError extends UserError {}

/** The catalog that a file holds: JSON Lines, CSV or TSV by its name, compressed (`.gz`) or not. */
export async function openCatalog (file: string, options: ReadOptions = {}): Promise<Catalog> {
  const { mtimeMs } = await stat(file)
  // Who names a file wants it imported, whatever was before: nothing about a file tells for sure that it is still the same.
  return { name: file, tag: randomUUID(), madeAt: mtimeMs, items: () => readItems(file, options) }
}

async function * readItems (file: string, options: ReadOptions): AsyncGenerator<readonly Item[]> {
  const bad = new BadLines()
  for await (const batch of readRecords(file, options)) {
    const items: Item[] = []
    for (const source of batch) {
      const item = 'problem' in source ? source.problem : toItem(source, options.columns)
      if (typeof item === 'string') bad.add(source.line, item)
      else items.push(item)
    }
    yield items
  }
  bad.refuse()
}

/** The item that a record describes, or what is wrong with it. */
function toItem ({ record, text }: SoundRecord, columns: Columns | undefined): Item | string {
  const { itemId, metadata } = text === undefined ? ofRow(record) : ofJson(text, record['id'], columns)
  return typeof itemId === 'string' && isItemId(itemId) ? { itemId, metadata } : 'id: expected a string of 1 to 256 characters'
}

/** Whether a catalog may hold an item of this id. Half of a surrogate pair has no UTF-8, which ids are kept in: two ids with one could become the same. */
export function isItemId (text: string): boolean {
  return isId(text) && text.isWellFormed()
}

interface Parts {
  itemId: unknown
  metadata: string
}

function ofRow ({ id, ...metadata }: Record<string, unknown>): Parts {
  return { itemId: id, metadata: JSON.stringify(metadata) }
}

function ofJson (text: string, id: unknown, columns: Columns | undefined): Parts {
  const members = membersOf(text)
  const idColumn = columns === undefined ? 'id' : columns['id']
  return {
    itemId: typeof id === 'number' ? valueOf(text, members, idColumn) : id,
    metadata: columns === undefined ? without(text, members) : selected(text, members, columns)
  }
}

/** A key that comes twice has the value that it has the last time. */
function valueOf (text: string, members: readonly Member[], key: string | undefined): string | undefined {
  const member = members.findLast(member => member.key === key)
  return member && text.slice(member.valueFrom, member.to)
}

/** Everything but the id. */
function without (text: string, members: readonly Member[]): string {
  return `{${members.filter(({ key }) => key !== 'id').map(({ from, to }) => text.slice(from, to)).join(',')}}`
}

function selected (text: string, members: readonly Member[], columns: Columns): string {
  const metadata: string[] = []
  for (const field in columns) {
    const value = field === 'id' ? undefined : valueOf(text, members, columns[field])
    if (value !== undefined) metadata.push(`${JSON.stringify(field)}:${value}`)
  }
  return `{${metadata.join(',')}}`
}
