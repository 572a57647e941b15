import Type from 'typebox'
import { DiskFullError } from '../lmdb.ts'
import { recommenderOf } from '../recommender/of-namespace.ts'
import { strict } from '../schema.ts'
import type { UserEvent } from './event.ts'
import { DeliveryError, eventTargetType } from './target.ts'

/** The embedded recommender of the namespace. Events without an item teach it nothing and are passed over. */
export const embedded = eventTargetType({
  type: 'embedded',
  schema: strict({ type: Type.Literal('embedded') }),
  async open (_config, scope) {
    const recommender = await recommenderOf(scope)
    return {
      async deliver (events) {
        try {
          await recommender.learn(events.filter(hasItem))
        } catch (error) {
          throw error instanceof DiskFullError ? new DeliveryError(error.message, { cause: error }) : error
        }
      }
    }
  }
})

function hasItem (event: UserEvent): event is UserEvent & { itemId: string } {
  return event.itemId !== undefined
}
