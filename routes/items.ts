import Type from 'typebox'
import { namespaceOf } from '../src/plan/plan.ts'
import { entriesShape, exampleItems, ItemsBodySchema, readItems } from '../src/datasets/body.ts'
import { datasetsOf, putEntries } from '../src/datasets/put.ts'
import { forbidden, hasScope } from '../src/security/access.ts'
import { RecommenderParamsSchema } from '../src/inference/parameters.ts'
import { answers, sealAnswer, type App } from './route.ts'

const OutcomesSchema = Type.Object({
  targets: Type.Record(Type.String(), Type.String(), { description: 'What became of the items in each dataset, and in each store of metadata.' })
}, { examples: [{ targets: { localdb: 'delivered' } }] })

export default async function items (app: App): Promise<void> {
  app.post('/items/:namespace', {
    bodyLimit: 8 * app.initialConfig.bodyLimit!,
    config: { access: 'write', priority: 'bulk', json: entriesShape('items') },
    onRequest ({ params, principal }, _reply, done) {
      // An item is for all users, so that a caller of one user may not change it.
      if (principal.user !== undefined && !hasScope(principal, 'admin')) throw forbidden()
      datasetsOf(namespaceOf(app.config.plan, params.namespace), 'items')
      done()
    },
    schema: {
      operationId: 'putItems',
      summary: 'Items, with their metadata',
      description: 'Puts up to 100 items into the items datasets that the namespace\'s event targets name, and into its stores of item metadata, in the place of those of the same ids. ' +
        '200 means that all have them. Sending them again does no harm. Cached answers keep the metadata that they were made with until they are made anew.',
      params: Type.Pick(RecommenderParamsSchema, ['namespace']),
      body: { ...ItemsBodySchema, examples: [exampleItems] },
      response: answers(OutcomesSchema)
    }
  }, async ({ params, body }, reply) => {
    const { plan } = app.config
    const targets = await putEntries(namespaceOf(plan, params.namespace), 'items', readItems(body), app.resources)
    sealAnswer(reply, plan)
    return { targets }
  })
}
