import { CatalogError } from './catalog.ts'

/**
 * Refuses a catalog that has less than half as many items as the store: most likely it is incomplete.
 * @param allowed whether the operator expects that
 * @throws CatalogError
 */
export function refuseShrink (name: string, { before, now, allowed = false }: { before: number, now: number, allowed?: boolean | undefined }): void {
  if (allowed || now * 2 >= before) return
  throw new CatalogError(`${name} has only ${now} items, less than half of the ${before} items in use: refused, nothing was changed. If this is meant, import the file with --force, or set "shrink": true beside the type of inferenceItemMetadata`)
}
