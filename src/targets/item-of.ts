import { itemInProperties } from '../records/item-in-properties.ts'
import type { UserEvent } from './event.ts'

/** Returns the item that an event is about: its `itemId`, or else the one in its properties; undefined if it names none. */
export function itemOf ({ itemId, properties }: Pick<UserEvent, 'itemId' | 'properties'>): string | undefined {
  return itemId ?? (properties === undefined ? undefined : itemInProperties(properties))
}
