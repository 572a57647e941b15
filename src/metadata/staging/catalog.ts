import { UserError } from '../../base/user-error.ts'
import { CatalogError, openCatalog, type Catalog, type Item } from '../catalog.ts'
import type { StagedObject, StagingBucket } from './bucket.ts'

/** Larger objects are refused, in bytes. */
const largestObject = 20 * 1024 ** 3

/**
 * An object of the bucket as a catalog. It is fetched when its items are first asked for, so that a store which has it already, or
 * leaves it to another instance, costs no download. All that is wrong with its content comes as a CatalogError.
 * @param path of the file that it is fetched into, without its extension; who calls removes it
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
