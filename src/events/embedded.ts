import Type from 'typebox'
import { recommenderOf } from '../recommender/of-namespace.ts'
import { strict } from '../schema.ts'
import { type UserEvent } from './event.ts'
import { eventTargetType } from './target.ts'

/** The embedded recommender of the namespace. Events without an item teach it nothing and are passed over. */
export const embedded = eventTargetType({
  type: 'embedded',
  schema: strict({ type: Type.Literal('embedded') }),
  async open (_config, scope) {
    const recommender = await recommenderOf(scope)
    return {
      name: 'embedded',
      deliver: async events => recommender.learn(events.filter(hasItem))
    }
  }
})

function hasItem (event: UserEvent): event is UserEvent & { itemId: string } {
  return event.itemId !== undefined
}
