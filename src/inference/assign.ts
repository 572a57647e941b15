import { GatewayError } from '../base/errors.ts'
import { resolve } from '../context/resolve.ts'
import type { Surroundings } from '../context/surroundings.ts'
import type { Assignment, Unit } from '../experiments/experiment.ts'
import type { ExperimentPlan, RecommenderPlan, VariationPlan } from '../plan/plan.ts'
import type { InferenceRequest } from './request.ts'

/** The assignment of the user of a request by an experiment. */
export interface Membership {
  readonly experiment: ExperimentPlan
  readonly assignment: Assignment
}

/** The variation that answers a request. */
export interface Assigned {
  readonly variation: VariationPlan
  /** The variation whose list is blended with that of `variation`; absent: the answer is of one variation. */
  readonly opponent?: VariationPlan | undefined
  /** The experiment that decided; absent: none is running for this request. */
  readonly membership?: Membership | undefined
  /** The time, in epoch ms, until which an equal request is assigned the same; -Infinity where another system decides each time. */
  readonly settledUntil: number
}

/** Returns the first variation, as for a recommender without experiments. */
export function unassigned ({ variations }: RecommenderPlan, settledUntil = Infinity): Assigned {
  return { variation: variations[0]!, settledUntil }
}

/**
 * Assigns a variation: by the experiment that the request names, or else by the first one that is running and, where experiments share a
 * layer, has the user in its part. A request without a user takes part in none, and gets the first variation. It is synchronous unless
 * another system decides.
 * @throws GatewayError 400 for an experiment that the recommender does not have
 */
export function assign (recommender: RecommenderPlan, request: InferenceRequest, surroundings: Surroundings, now: number): Assigned | Promise<Assigned> {
  const { experiments } = recommender
  const { feature, userId } = request
  if (feature === undefined && experiments.size === 0) return unassigned(recommender)
  const candidates = feature === undefined ? [...experiments.values()] : [experimentOf(recommender, feature)]
  if (userId === undefined) return unassigned(recommender)
  let context: Unit['context'] | null = null
  const unit: Unit = {
    userId,
    now,
    // Few experiments have an audience, and resolving the context is most of the cost of an assignment.
    get context () {
      if (context === null) context = contextOf(recommender, request, surroundings)
      return context
    }
  }
  let settledUntil = Infinity

  function next (i: number): Assigned | Promise<Assigned> {
    const experiment = candidates[i]
    if (experiment === undefined) return unassigned(recommender, settledUntil)
    settledUntil = Math.min(settledUntil, experiment.experiment.settledUntil?.(now) ?? -Infinity)
    const assignment = experiment.experiment.assign(unit)
    return assignment instanceof Promise ? assignment.then(assignment => decide(experiment, assignment, i)) : decide(experiment, assignment, i)
  }

  function decide (experiment: ExperimentPlan, assignment: Assignment, i: number): Assigned | Promise<Assigned> {
    const isElsewhere = assignment.why === 'not-running' || (assignment.why === 'layer' && i + 1 < candidates.length)
    return isElsewhere ? next(i + 1) : { ...variationsOf(recommender, experiment, assignment), membership: { experiment, assignment }, settledUntil }
  }

  return next(0)
}

/** Returns the experiment of a recommender. @throws GatewayError 400 */
function experimentOf ({ experiments, name }: RecommenderPlan, feature: string): ExperimentPlan {
  const experiment = experiments.get(feature)
  if (experiment === undefined) throw new GatewayError('UnknownExperiment', `feature: "${feature}" is not an experiment of "${name}"${experiments.size === 0 ? ', which has none' : `; expected one of ${[...experiments.keys()].join(', ')}`}`)
  return experiment
}

function variationsOf ({ variations }: RecommenderPlan, { experiment: { blended } }: ExperimentPlan, assignment: Assignment): Pick<Assigned, 'variation' | 'opponent'> {
  const named = (name: string | undefined): VariationPlan => variations.find(variation => variation.name === name) ?? variations[0]!
  if (blended === undefined || assignment.why !== 'assigned') return { variation: named(assignment.variation) }
  const [first, second] = blended.variations
  return { variation: named(first), opponent: named(second) }
}

/** Returns the context of the first variation, since the one that will answer is not known yet. Values that are no text decide nothing. */
function contextOf ({ variations }: RecommenderPlan, request: InferenceRequest, surroundings: Surroundings): Unit['context'] {
  const { context } = resolve(variations[0]!.contextRules, request, surroundings)
  return context && Object.fromEntries(Object.entries(context).filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
}
