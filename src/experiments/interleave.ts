import Type from 'typebox'
import { NameSchema, strict } from '../base/schema.ts'
import { commonProperties } from './common.ts'
import { experimentMethod } from './experiment.ts'
import { checkSplit, openWeighted, splitProperties } from './weighted.ts'

/** The name under which exposures to a blended list are counted. */
export const interleaved = 'interleaved'

/**
 * Interleaving: every user who takes part gets one list of the items of two variations, by team draft (see draft.ts), and what the user
 * clicks says whose items are preferred. It finds the better of two rankers with far fewer users than a split.
 */
export const interleave = experimentMethod({
  type: 'interleave',
  schema: strict({
    method: Type.Literal('interleave'),
    ...commonProperties,
    variations: Type.Array(NameSchema, { minItems: 2, maxItems: 2, uniqueItems: true, description: 'The two variations whose lists are blended.' }),
    ...splitProperties
  }),
  actions: ['recommend-items', 'related-items', 'rerank-items'],
  check: checkSplit,
  open ({ variations, ...split }, { namespace, recommender, feature }) {
    const seed = split.seed ?? `${namespace}/${recommender}/${feature}`
    return { ...openWeighted(new Map([[interleaved, 1]]), { ...split, seed }), shares: undefined, blended: { variations: variations as [string, string], seed } }
  }
})
