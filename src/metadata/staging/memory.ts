import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ItemImport } from '../item-import.ts'
import { defaultItemTables } from '../dynamodb/item-table.ts'
import type { StagedObject } from './choose.ts'

/** State of the last import from the bucket into a store. It survives restarts, and the processes of this machine share it. */
export interface StagingMemory {
  /** Time of the last successful import, in epoch ms. */
  readonly importedAt?: number
  /** Tag of the object that it imported. */
  readonly imported?: string
  /** The tags of its parts, if it had several. */
  readonly parts?: readonly string[]
  /** Tag of the object that was last refused since. */
  readonly refused?: string
  /** The names of the tables of items under which this happened; absent: the defaults. */
  readonly itemTables?: string
}

const fileName = 'STAGED'

/**
 * Reads the state of a store. If the file is missing, invalid, or about tables of other names, returns an empty state, so that the import
 * runs again.
 */
export async function recall (directory: string, to: ItemImport): Promise<StagingMemory> {
  try {
    const memory = JSON.parse(await readFile(join(directory, fileName), 'utf8')) as StagingMemory | null
    return typeof memory === 'object' && memory !== null && memory.itemTables === tablesOf(to) ? memory : {}
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw error
  }
}

/** Replaces the state of a store atomically. The caller holds the directory's lock. */
export async function remember (directory: string, to: ItemImport, memory: StagingMemory): Promise<void> {
  const next = join(directory, `${fileName}.next`)
  await writeFile(next, JSON.stringify({ ...memory, itemTables: tablesOf(to) }), { flush: true })
  await rename(next, join(directory, fileName))
}

/** Returns the names of the tables of items, unless they are the defaults. */
function tablesOf ({ itemTables: { prefix, key } = defaultItemTables }: ItemImport): string | undefined {
  return prefix === defaultItemTables.prefix && key === defaultItemTables.key ? undefined : JSON.stringify([prefix, key])
}

/**
 * Returns whether an object was already imported, or refused under the same configuration. Parts that are left while a catalog is being
 * deleted are no new catalog.
 */
export function isKnown ({ imported, refused, parts = [] }: StagingMemory, object: StagedObject, to: ItemImport): boolean {
  return object.tag === imported || refusedTag(object, to) === refused || (object.parts ?? [object]).every(({ tag }) => parts.includes(tag))
}

/** Returns the state after the import of an object. */
export function importedState ({ tag, parts }: StagedObject, importedAt: number): StagingMemory {
  return { imported: tag, importedAt, ...parts && { parts: parts.map(({ tag }) => tag) } }
}

/** Returns the tag by which a refused object is remembered: if the configuration then allows it to shrink the store, it is tried again. */
export function refusedTag ({ tag }: StagedObject, { config }: ItemImport): string {
  return 'shrink' in config && config.shrink === true ? `${tag} shrink` : tag
}
