import { UserError } from '../../base/user-error.ts'
import { DiskFullError } from '../../connections/lmdb.ts'
import { CatalogError, openCatalog, type Catalog, type Item } from '../catalog.ts'
import type { StagedObject, StagingBucket } from './bucket.ts'

/** Larger objects are refused, in bytes. */
const largestObject = 20 * 1024 ** 3

/**
 * Returns an object of the bucket as a catalog. The catalog downloads the object when its items are first read, so that a store which
 * already has it, or leaves it to another instance, causes no download. Any error in the content is thrown as a CatalogError.
 * @param path of the file to download into, without its extension; the caller removes the file
 * @param idField the field of an item that holds its id; absent: `id`
 */
export function stagedCatalog (object: StagedObject, bucket: StagingBucket, path: string, signal: AbortSignal, idField?: string): Catalog {
  const { key: name, tag, madeAt, size } = object
  const parts = object.parts ?? [object]
  const files: string[] = []

  async function * items (): AsyncGenerator<readonly Item[]> {
    if (size > largestObject) throw new CatalogError(`${name} has ${size} bytes; expected at most ${largestObject}`)
    let any = false
    for (const [i, part] of parts.entries()) {
      for await (const batch of itemsOf(part, i)) {
        any ||= batch.length > 0
        yield batch
      }
    }
    if (!any) throw new CatalogError(`there are no items in ${name}`)
  }

  async function * itemsOf (part: StagedObject, i: number): AsyncGenerator<readonly Item[]> {
    try {
      files[i] ??= await bucket.download(part, parts.length === 1 ? path : `${path}-${i}`, signal)
      for await (const batch of (await openCatalog(files[i], { idField })).items()) {
        signal.throwIfAborted()
        yield batch
      }
    } catch (cause) {
      if (!(cause instanceof UserError) || cause instanceof DiskFullError) throw cause
      const message = cause.message.replaceAll(files[i] ?? part.key, part.key)
      throw new CatalogError(parts.length === 1 || message.includes(part.key) ? message : `${part.key}: ${message}`, { cause })
    }
  }

  return { name, tag, madeAt, items }
}
