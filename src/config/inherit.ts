import type { Inherited } from './document.ts'
import type { Element } from './elements.ts'

export type InheritedKey = keyof Inherited

/** The value of a key that the nearest level defines, with the pointer to it; undefined where none does. */
export function inherit<K extends InheritedKey> (key: K, levels: ReadonlyArray<Element<object>>): Element<NonNullable<Inherited[K]>> | undefined {
  const nearest = levels.findLast(({ value }) => (value as Inherited)[key] !== undefined)
  return nearest && { pointer: `${nearest.pointer}/${key}`, value: (nearest.value as Inherited)[key] as NonNullable<Inherited[K]> }
}
