import Type from 'typebox'
import { strict } from '../base/schema.ts'
import { itemMetadataType } from './store-type.ts'

const nothing: ReadonlyMap<string, string> = new Map()

/** Metadata that Amazon Personalize returns with its answers (at most 10 columns, for at most 50 items). The store looks nothing up. */
export const personalize = itemMetadataType({
  type: 'personalize',
  schema: strict({
    type: Type.Literal('personalize'),
    itemColumns: Type.Optional(Type.Array(Type.String({ pattern: '^[a-zA-Z0-9_]{1,150}$' }), { minItems: 1, maxItems: 10 }))
  }),
  itemColumns: ({ itemColumns }) => itemColumns,
  open: async () => ({ get: () => nothing, close: async () => {} })
})
