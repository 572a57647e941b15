import type { ItemImport } from '../item-import.ts'
import type { PassedOver } from './choose.ts'

/**
 * Returns a listener for the objects that checks of the bucket pass over. It reports each object once, with its first reason, as long as
 * the object stays in the bucket.
 */
export function passedOverLog (report: (to: ItemImport, objects: readonly PassedOver[]) => void): (to: ItemImport, objects: readonly PassedOver[]) => void {
  const known = new Map<string, ReadonlySet<string>>()
  return (to, objects) => {
    const place = `${to.namespace}/${to.config.type}`
    const before = known.get(place)
    const fresh = objects.filter(({ key }) => before?.has(key) !== true)
    known.set(place, new Set(objects.map(({ key }) => key)))
    if (fresh.length > 0) report(to, fresh)
  }
}
