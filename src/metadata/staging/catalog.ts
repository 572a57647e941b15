import { UserError } from '../../base/user-error.ts'
import { CatalogError, openCatalog, type Catalog, type Item } from '../catalog.ts'
import type { StagedObject, StagingBucket } from './bucket.ts'

/** Larger objects are refused, in bytes. */
const largestObject = 20 * 1024 ** 3

/**
 * Returns an object of the bucket as a catalog. The catalog downloads the object when its items are first read, so that a store which
 * already has it, or leaves it to another instance, causes no download. Any error in the content is thrown as a CatalogError.
 * @param path of the file to download into, without its extension; the caller removes the file
 */
export function stagedCatalog (object: StagedObject, bucket: StagingBucket, path: string, signal: AbortSignal): Catalog {
  const { key: name, tag, madeAt, size } = object
  let file: string | undefined

  async function * items (): AsyncGenerator<readonly Item[]> {
    if (size > largestObject) throw new CatalogError(`${name} has ${size} bytes; expected at most ${largestObject}`)
    file ??= await bucket.download(object, path, signal)
    let any = false
    try {
      for await (const batch of (await openCatalog(file)).items()) {
        signal.throwIfAborted()
        any ||= batch.length > 0
        yield batch
      }
    } catch (cause) {
      if (!(cause instanceof UserError)) throw cause
      throw new CatalogError(cause.message.replaceAll(file, name), { cause })
    }
    if (!any) throw new CatalogError(`there are no items in ${name}`)
  }

  return { name, tag, madeAt, items }
}
