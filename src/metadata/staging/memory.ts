import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { StagedObject } from './bucket.ts'

/** What a store was filled with last from the bucket, kept over restarts and for the other processes of this machine. */
export interface StagingMemory {
  /** When the last import that succeeded did, in epoch ms. */
  readonly importedAt?: number
  /** The tag of what it brought. */
  readonly imported?: string
  /** The tag of what was refused since. */
  readonly refused?: string
}

const fileName = 'STAGED'

/** A file that is not there, or that makes no sense, is an empty memory: then an import is done again. */
export async function recall (directory: string): Promise<StagingMemory> {
  try {
    const memory = JSON.parse(await readFile(join(directory, fileName), 'utf8')) as unknown
    return typeof memory === 'object' && memory !== null ? memory : {}
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw error
  }
}

/** Replaces the memory at once; to be called under the directory's lock. */
export async function remember (directory: string, memory: StagingMemory): Promise<void> {
  const next = join(directory, `${fileName}.next`)
  await writeFile(next, JSON.stringify(memory), { flush: true })
  await rename(next, join(directory, fileName))
}

/** Whether there is nothing to do for an object. */
export function isKnown ({ imported, refused }: StagingMemory, { tag }: StagedObject): boolean {
  return tag === imported || tag === refused
}
