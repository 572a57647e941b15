import Type from 'typebox'
import { DiskFullError } from '../connections/lmdb.ts'
import { recommenderOf } from '../recommender/of-namespace.ts'
import { strict } from '../base/schema.ts'
import type { UserEvent } from './event.ts'
import { eventTargetType, nothingOf } from './target.ts'

/** The embedded recommender of the namespace as a target. It skips events without an item, from which it cannot learn. */
export const embedded = eventTargetType({
  type: 'embedded',
  schema: strict({ type: Type.Literal('embedded') }),
  async open (_config, scope) {
    const recommender = await recommenderOf(scope)
    return {
      async deliver (body) {
        try {
          await recommender.learn(body.events.filter(hasItem))
          return undefined
        } catch (cause) {
          if (cause instanceof DiskFullError) return nothingOf(body, cause.message, { retryable: true, cause })
          throw cause
        }
      }
    }
  }
})

function hasItem (event: UserEvent): event is UserEvent & { itemId: string } {
  return event.itemId !== undefined
}
