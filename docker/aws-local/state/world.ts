import Type, { type Static } from 'typebox'
import { NameSchema, strict } from '../../../src/base/schema.ts'

const Deployed = Type.Optional(Type.Array(strict({ name: NameSchema, recipe: NameSchema })))
const Fields = Type.Optional(Type.Array(Type.String({ pattern: '^[A-Z0-9_]+$' })))

/** A short description of the resources in Personalize. */
export const WorldSchema = strict({
  datasetGroups: Type.Array(strict({
    name: NameSchema,
    domain: Type.Optional(Type.Enum(['ECOMMERCE', 'VIDEO_ON_DEMAND'])),
    recommenders: Deployed,
    campaigns: Deployed,
    eventTrackers: Type.Optional(Type.Array(strict({ name: NameSchema, trackingId: Type.String({ minLength: 1 }) }))),
    filters: Type.Optional(Type.Array(strict({ name: NameSchema, expression: Type.String({ minLength: 1 }) }))),
    contextFields: Fields,
    itemColumns: Fields
  }))
})

export type World = Static<typeof WorldSchema>
export type DatasetGroup = World['datasetGroups'][number]

/** The sample store, with all of its resources in Personalize. */
export const sampleWorld: World = {
  datasetGroups: [{
    name: 'my-store',
    domain: 'ECOMMERCE',
    recommenders: [
      { name: 'recommended-for-you', recipe: 'aws-ecomm-recommended-for-you' },
      { name: 'also-viewed', recipe: 'aws-ecomm-customers-who-viewed-x-also-viewed' }
    ],
    campaigns: [
      { name: 'user-personalization', recipe: 'aws-user-personalization-v2' },
      { name: 'similar-items', recipe: 'aws-similar-items' },
      { name: 'personalized-ranking', recipe: 'aws-personalized-ranking-v2' }
    ],
    eventTrackers: [{ name: 'my-store-tracker', trackingId: '6f1c5a6e-9f3b-4f0e-8d57-0a4f0e2b7c11' }],
    filters: [
      { name: 'exclude-purchased', expression: 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("purchase")' },
      { name: 'include-categories', expression: 'INCLUDE ItemID WHERE Items.CATEGORY IN ($CATEGORIES)' }
    ],
    contextFields: ['DEVICE'],
    itemColumns: ['NAME', 'CATEGORY', 'PRICE', 'RATING', 'IN_STOCK']
  }]
}
