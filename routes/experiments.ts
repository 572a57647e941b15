import Type from 'typebox'
import { failureWord, GatewayError } from '../src/base/errors.ts'
import { reportOf, type ExperimentReport } from '../src/experiments/report.ts'
import { RecommenderParamsSchema } from '../src/inference/parameters.ts'
import { actions } from '../src/origins/origin.ts'
import { experimentsOf, namespaceOf, type ExperimentPlan, type NamespacePlan } from '../src/plan/plan.ts'
import { answers, sealAnswer, type App } from './route.ts'

const { namespace, recommender } = RecommenderParamsSchema.properties
const ReportSchema = Type.Ref('ExperimentReport')
const guarded = { tags: ['operations'] }
const config = { access: 'admin' } as const
const about = 'Intervals and p-values are always valid: look as often as you like. Needs a key or a token with the scope `admin`.'

export default async function experiments (app: App): Promise<void> {
  async function report ({ experiment: { shares, blended }, ...experiment }: ExperimentPlan): Promise<ExperimentReport> {
    try {
      return reportOf({ ...experiment, shares, blended: blended?.variations }, await app.experiments.tally.read(experiment.id))
    } catch (cause) {
      throw new GatewayError('ExperimentCountsUnavailable', `the counts of the experiment cannot be read from Redis: ${failureWord(cause)}`, { cause, retryAfter: 1 })
    }
  }

  const reportsOf = async (namespaces: Iterable<NamespacePlan>): Promise<ExperimentReport[]> => Promise.all([...namespaces].flatMap(experimentsOf).map(report))

  app.get('/experiments', {
    config,
    schema: { operationId: 'getAllExperiments', summary: 'Results of all experiments', description: about, ...guarded, response: answers(Type.Array(ReportSchema)) }
  }, async (_request, reply) => {
    sealAnswer(reply, app.config.plan)
    return reportsOf(app.config.plan.namespaces.values())
  })

  app.get('/experiments/:namespace', {
    config,
    schema: { operationId: 'getExperiments', summary: 'Results of the experiments', description: about, ...guarded, params: Type.Object({ namespace }), response: answers(Type.Array(ReportSchema)) }
  }, async ({ params }, reply) => {
    const named = namespaceOf(app.config.plan, params.namespace)
    sealAnswer(reply, app.config.plan)
    return reportsOf([named])
  })

  app.get('/experiments/:namespace/:recommender/:feature', {
    config,
    schema: {
      operationId: 'getExperiment',
      summary: 'Result of an experiment',
      description: about,
      ...guarded,
      params: Type.Object({ namespace, recommender, feature: Type.String({ minLength: 1, maxLength: 256 }) }),
      querystring: Type.Object({ action: Type.Optional(Type.Enum(actions, { description: 'Needed where several actions have a recommender of that name with such an experiment.' })) }),
      response: answers(ReportSchema)
    }
  }, async ({ params, query: { action } }, reply) => {
    const experiment = experimentOf(namespaceOf(app.config.plan, params.namespace), { ...params, action })
    sealAnswer(reply, app.config.plan)
    return report(experiment)
  })
}

/** Returns the experiment of these names. @throws GatewayError 404, and 400 if several actions have it and none is named */
function experimentOf ({ name, recommenders }: NamespacePlan, { recommender, feature, action }: { recommender: string, feature: string, action: string | undefined }): ExperimentPlan {
  const named = [...recommenders.values()].filter(of => of.name === recommender && (action === undefined || of.action === action))
  const forAction = action === undefined ? '' : ` for ${action}`
  if (named.length === 0) throw new GatewayError('RecommenderNotConfigured', `recommender: "${recommender}" is not configured${forAction} in namespace "${name}"`)
  const [found, ...others] = named.flatMap(({ experiments }) => experiments.get(feature) ?? [])
  if (found === undefined) {
    const features = [...new Set(named.flatMap(({ experiments }) => [...experiments.keys()]))]
    throw new GatewayError('ExperimentNotFound', `feature: "${feature}" is not an experiment of "${recommender}"${forAction}${features.length === 0 ? ', which has none' : `; expected one of ${features.join(', ')}`}`)
  }
  if (others.length > 0) throw new GatewayError('InvalidParameter', `action: is missing; expected one of ${[found, ...others].map(({ action }) => action).join(', ')}, which have a recommender "${recommender}" with such an experiment`)
  return found
}
