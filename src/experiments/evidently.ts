import Type from 'typebox'
import { strict } from '../base/schema.ts'
import { commonProperties } from './common.ts'
import { eventsPerCall, openEvidently, type Evaluation, type EvidentlyEvent } from './evidently-client.ts'
import { evidentlyData } from './evidently-data.ts'
import { experimentIdOf, experimentMethod, type Assignment, type Experiment, type ExperimentPlace, type ExperimentScope, type Reported } from './experiment.ts'
import { MetricsSchema, type Metrics } from './metrics.ts'
import { createReportQueue } from './report-queue.ts'
import { createTroubleLog, Trouble } from './trouble.ts'
import { openWeighted } from './weighted.ts'

/** The values of the events that stand for an exposure, and for a conversion without a value: those of the AWS sample. */
const exposureValue = 0.0000001
const conversionValue = 1.0000001

/** An event of an experiment, which may come from several documents. */
interface Report extends EvidentlyEvent {
  readonly experimentId: string
}

/**
 * The method of the documents of the AWS sample: Amazon CloudWatch Evidently, or what answers as it did, decides. AWS ended the service on
 * 16 October 2025, so that without an endpoint the gateway decides, with equal weights.
 */
export const evidently = experimentMethod({
  type: 'evidently',
  schema: strict({ method: Type.Literal('evidently'), ...commonProperties, project: Type.String({ minLength: 1, maxLength: 2048 }), metrics: MetricsSchema }),
  open ({ project, metrics }, place, scope) {
    const { evidentlyEndpoint } = scope
    return evidentlyEndpoint === undefined ? openWithoutEndpoint(place) : openWithEndpoint({ project, metrics, endpoint: evidentlyEndpoint }, place, scope)
  }
})

function openWithoutEndpoint ({ namespace, recommender, feature, variations }: ExperimentPlace): Experiment {
  const split = openWeighted(new Map(variations.map(name => [name, 1])), { seed: `${namespace}/${recommender}/${feature}` })
  return {
    ...split,
    assign (unit) {
      const assignment = split.assign(unit) as Assignment
      return assignment.why === 'assigned' ? { ...assignment, details: { experiment: feature, variation: assignment.variation } } : assignment
    }
  }
}

async function openWithEndpoint ({ project, metrics, endpoint }: { project: string, metrics: Metrics, endpoint: string }, place: ExperimentPlace, scope: ExperimentScope): Promise<Experiment> {
  const { feature, variations } = place
  const { experimentStats, now } = scope
  const experimentId = experimentIdOf(place)
  const service = await openEvidently(scope, endpoint)
  const onUnavailable = createTroubleLog(scope, `CloudWatch Evidently does not evaluate ${experimentId}`)
  const onUnreported = createTroubleLog(scope, `CloudWatch Evidently does not take events of ${project}`)
  const queue = await scope.share(`evidently events ${JSON.stringify([endpoint, project])}`, async () => createReportQueue<Report>({
    perCall: eventsPerCall,
    send: async (events, signal) => service.put(project, events, signal),
    onDropped (events, cause) {
      for (const { experimentId } of events) experimentStats.of(experimentId).unreported++
      onUnreported(cause ?? new Trouble('it refuses some, or too many wait'))
    }
  }), async queue => queue.close(), { first: true })

  function unavailable (cause: unknown): Assignment {
    experimentStats.of(experimentId).unavailable++
    onUnavailable(cause)
    return { variation: undefined, why: 'unavailable', hashes: {} }
  }

  function decide ({ value, reason = '', details }: Evaluation): Assignment {
    const variation = variationOf(value, variations)
    if (variation === undefined) return unavailable(new Trouble('its value names no variation'))
    if (reason !== 'EXPERIMENT_RULE_MATCH') return { variation, why: reason.includes('OVERRIDE') ? 'override' : 'not-in-experiment', hashes: {} }
    return { variation, why: 'assigned', hashes: {}, details }
  }

  return {
    shares: undefined,
    assign ({ userId }) {
      const evaluation = service.evaluate(project, feature, userId)
      return evaluation instanceof Promise ? evaluation.then(decide, unavailable) : decide(evaluation)
    },
    report (reported) {
      for (const data of dataOf(reported, metrics)) queue.add({ experimentId, at: now(), data })
    }
  }
}

/** Returns the variation that a value of a feature names, by its name or by its place in the document. */
function variationOf (value: string | number | undefined, variations: readonly string[]): string | undefined {
  if (typeof value === 'number') return variations[value]
  if (value === undefined || variations.includes(value)) return value
  return /^\d+$/.test(value) ? variations[Number(value)] : undefined
}

/** Returns the data of the events that tell the service of something: of an exposure, one for each metric that tracks exposures. */
function dataOf (reported: Reported, metrics: Metrics): string[] {
  if (reported.kind === 'exposure') {
    return Object.values(metrics).flatMap(metric => 'entityIdKey' in metric && metric.trackExposures !== false ? [evidentlyData(metric, reported.userId, exposureValue)] : [])
  }
  const metric = Object.hasOwn(metrics, reported.metric) ? metrics[reported.metric] : undefined
  return metric !== undefined && 'entityIdKey' in metric ? [evidentlyData(metric, reported.userId, reported.value ?? conversionValue)] : []
}
