import Type from 'typebox'
import { DiskFullError } from '../connections/lmdb.ts'
import type { LoggedEvent } from '../recommender/event-log.ts'
import { recommenderOf } from '../recommender/of-namespace.ts'
import { strict } from '../base/schema.ts'
import type { UserEvent } from './event.ts'
import { itemOf } from './item-of.ts'
import { eventTargetType, nothingOf } from './target.ts'

/** The embedded recommender of the namespace as a target. It skips events that name no item, from which it cannot learn. */
export const embedded = eventTargetType({
  type: 'embedded',
  schema: strict({ type: Type.Literal('embedded') }),
  async open (_config, scope) {
    const recommender = await recommenderOf(scope)
    return {
      async deliver (body) {
        try {
          await recommender.learn(body.events.map(withItem).filter(event => event !== undefined))
          return undefined
        } catch (cause) {
          if (cause instanceof DiskFullError) return nothingOf(body, cause.message, { retryable: true, cause })
          throw cause
        }
      }
    }
  }
})

function withItem (event: UserEvent): LoggedEvent | undefined {
  const itemId = itemOf(event)
  if (itemId === undefined) return undefined
  return itemId === event.itemId ? event as UserEvent & { itemId: string } : { ...event, itemId }
}
