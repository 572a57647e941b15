import Type from 'typebox'
import { strict } from '../base/schema.ts'
import { itemMetadataType } from './store-type.ts'

const nothing: ReadonlyMap<string, string> = new Map()

/** Amazon Personalize brings the metadata along with its answers (at most 10 columns, with at most 50 items): there is nothing to look up. */
export const personalize = itemMetadataType({
  type: 'personalize',
  schema: strict({
    type: Type.Literal('personalize'),
    itemColumns: Type.Optional(Type.Array(Type.String({ pattern: '^[a-zA-Z0-9_]{1,150}$' }), { minItems: 1, maxItems: 10 }))
  }),
  itemColumns: ({ itemColumns }) => itemColumns,
  open: async () => ({ get: () => nothing, close: async () => {} })
})
