import Type from 'typebox'
import { GatewayError } from '../src/base/errors.ts'
import { FeatureSchema } from '../src/base/schema.ts'
import { surroundingsOf } from '../src/context/surroundings.ts'
import { assign } from '../src/inference/assign.ts'
import { describedMembership, ExperimentSchema } from '../src/inference/explain.ts'
import { readRequest, UserParamsSchema } from '../src/inference/parameters.ts'
import { actions } from '../src/origins/origin.ts'
import { namespaceOf } from '../src/plan/plan.ts'
import { answers, sealAnswer, type App } from './route.ts'

const AssignmentSchema = Type.Object({
  action: Type.Enum(actions),
  recommender: Type.String(),
  userId: Type.String(),
  variation: Type.String({ description: 'The variation that the user would get.' }),
  experiment: Type.Union([ExperimentSchema, Type.Null()], { description: 'The experiment that decides; null if none is running for the user.' })
})

export default async function assignments (app: App): Promise<void> {
  app.get('/assignments/:namespace/:recommender/:userId', {
    config: { access: 'read' },
    schema: {
      operationId: 'getAssignment',
      summary: 'What a user would get, without showing it',
      description: 'Tells the variation of a user, and the experiment that decides on it. It is no exposure, and asks no provider.',
      params: UserParamsSchema,
      querystring: Type.Object({
        action: Type.Optional(Type.Enum(actions, { description: 'Needed where several actions have a recommender of that name.' })),
        feature: Type.Optional(FeatureSchema)
      }),
      response: answers(AssignmentSchema)
    }
  }, async ({ params: { namespace, recommender, userId }, query: { action, feature }, headers }, reply) => {
    const { plan } = app.config
    const named = [...namespaceOf(plan, namespace).recommenders.values()].filter(({ name, ...of }) => name === recommender && (action === undefined || of.action === action))
    const [found, ...others] = named
    if (found === undefined) throw new GatewayError('RecommenderNotConfigured', `recommender: "${recommender}" is not configured${action === undefined ? '' : ` for ${action}`} in namespace "${namespace}"`)
    if (others.length > 0) throw new GatewayError('InvalidParameter', `action: is missing; expected one of ${named.map(({ action }) => action).join(', ')}, which have a recommender "${recommender}"`)
    const request = readRequest(found.action, { namespace, recommender, userId }, undefined, feature === undefined ? {} : { feature })
    const assigned = await assign(found, request, surroundingsOf(headers, app.clock), app.resources.now())
    sealAnswer(reply, plan)
    return { action: found.action, recommender, userId, variation: assigned.variation.name, experiment: describedMembership(assigned) }
  })
}
