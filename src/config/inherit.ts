import type { Inherited } from './document.ts'
import type { Element } from './elements.ts'

export type InheritedKey = keyof Inherited

/** Returns the value of a key at the nearest level that defines it, with the pointer to it; undefined if no level does. */
export function inherit<K extends InheritedKey> (key: K, levels: ReadonlyArray<Element<object>>): Element<NonNullable<Inherited[K]>> | undefined {
  const nearest = levels.findLast(({ value }) => (value as Inherited)[key] !== undefined)
  return nearest && { pointer: `${nearest.pointer}/${key}`, value: (nearest.value as Inherited)[key] as NonNullable<Inherited[K]> }
}
