import Type from 'typebox'
import { namespaceOf } from '../src/plan/plan.ts'
import { entriesShape, exampleUsers, readUsers, UsersBodySchema } from '../src/datasets/body.ts'
import { datasetsOf, putEntries } from '../src/datasets/put.ts'
import { requireUser } from '../src/security/access.ts'
import { RecommenderParamsSchema } from '../src/inference/parameters.ts'
import { answers, sealAnswer, type App } from './route.ts'

const OutcomesSchema = Type.Object({
  targets: Type.Record(Type.String(), Type.String(), { description: 'What became of the users in each dataset.' })
}, { examples: [{ targets: { 'personalize-event-tracker': 'delivered' } }] })

export default async function users (app: App): Promise<void> {
  app.post('/users/:namespace', {
    bodyLimit: 4 * app.initialConfig.bodyLimit!,
    config: { access: 'write', priority: 'bulk', json: entriesShape('users') },
    onRequest ({ params }, _reply, done) {
      datasetsOf(namespaceOf(app.config.plan, params.namespace), 'users')
      done()
    },
    schema: {
      operationId: 'putUsers',
      summary: 'Users, with what is known of them',
      description: 'Puts up to 100 users into the users datasets that the namespace\'s event targets name, in the place of those of the same ids. 200 means that all have them. Sending them again does no harm.',
      params: Type.Pick(RecommenderParamsSchema, ['namespace']),
      body: { ...UsersBodySchema, examples: [exampleUsers] },
      response: answers(OutcomesSchema)
    }
  }, async ({ params, body, principal }, reply) => {
    for (const { userId } of body.users) requireUser(principal, userId)
    const { plan } = app.config
    const targets = await putEntries(namespaceOf(plan, params.namespace), 'users', readUsers(body), app.resources)
    sealAnswer(reply, plan)
    return { targets }
  })
}
