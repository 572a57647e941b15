import { interleaved } from '../experiments/interleave.ts'
import type { Metrics } from '../experiments/metrics.ts'
import type { IssuedId, RecommendationIds } from '../experiments/recommendation-id.ts'
import type { ExperimentStats } from '../experiments/stats.ts'
import type { Credit } from '../experiments/tally/store.ts'
import type { Tally } from '../experiments/tally/tally.ts'
import { userKey } from '../experiments/user-key.ts'
import { experimentsOf, type ExperimentPlan, type NamespacePlan } from '../plan/plan.ts'
import type { EventBody } from '../targets/body.ts'
import { largestValue, type Conversion, type UserEvent } from '../targets/event.ts'

export interface CreditorOptions {
  readonly ids: RecommendationIds
  readonly tally: Tally
  readonly stats: ExperimentStats
  readonly newId: () => string
}

/**
 * The outcome of the conversions of a body: each is counted, some still wait in this process (Redis does not answer), or there is no
 * experiment that counts any of them.
 */
export type Credited = 'counted' | 'waiting' | 'not counted: no experiment counts them'

/** Credits what the events and conversions of a body say to the experiments of their namespace. Resolves in bounded time. */
export type Creditor = (namespace: NamespacePlan, body: EventBody) => Promise<Credited>

/** The longest wait for the counts of a body, in ms. They go on waiting without it. */
const patience = 1_500

const uncounted = 'not counted: no experiment counts them'

/**
 * The list that led to an event: unknown, since the event names none; one of this variation, as its id proves; or one whose id is the
 * provider's, so that it has to be among those that the user was served.
 */
type Proof = { readonly kind: 'unknown' } | { readonly kind: 'proven', readonly variation: string } | { readonly kind: 'served' }

export function createCreditor ({ ids, tally, stats, newId }: CreditorOptions): Creditor {
  async function creditEvent (namespace: NamespacePlan, experiments: readonly ExperimentPlan[], userId: string, event: UserEvent): Promise<boolean[]> {
    const counting = experiments.map(experiment => ({ experiment, metrics: metricsFor(experiment, event.eventType) })).filter(({ metrics }) => metrics.length > 0)
    if (counting.length === 0) return []
    const issued = event.recommendationId === undefined ? undefined : ids.open(event.recommendationId)
    // Each experiment for itself: one that has to look up a list may have to wait for the store.
    const credits = await Promise.all(counting.map(async ({ experiment, metrics }) => creditExperiment(experiment, metrics, { userId, event, issued })))
    const isKnown = event.recommendationId === undefined || credits.some(credited => credited !== undefined)
    if (!isKnown && (issued === undefined || !isOwnList(namespace, userId, issued))) stats.foreignIds++
    return credits.flatMap(credited => credited ?? [])
  }

  /** @returns undefined if the event's id stands for no list of the experiment */
  async function creditExperiment (experiment: ExperimentPlan, metrics: ReturnType<typeof metricsFor>, { userId, event, issued }: { userId: string, event: UserEvent, issued: IssuedId | undefined }): Promise<boolean[] | undefined> {
    const proof = proofOf(experiment, userId, event.recommendationId, issued)
    if (proof === undefined) return undefined
    const isBlended = experiment.experiment.blended !== undefined
    const lists = proof.kind === 'served' || isBlended ? await tally.lists(experiment.id, userKey(userId)) : []
    const list = lists.find(({ recommendationId, teams }) => event.recommendationId === undefined ? sideOf(teams, event.itemId) !== 0 : recommendationId === event.recommendationId)
    if (proof.kind === 'served' && list === undefined) return undefined
    const side = isBlended ? sideOf(list?.teams, event.itemId) : 1
    if (side === 0) return []
    const variation = proof.kind === 'proven' ? proof.variation : undefined
    return Promise.all(metrics.flatMap(({ metric, value, cap }) => {
      const amount = value === undefined ? 1 : event[value]
      if (amount === undefined || Math.abs(amount) > largestValue) return []
      experiment.experiment.report?.({ kind: 'conversion', userId, metric, value: value === undefined ? undefined : amount })
      return [tally.credit(experiment, creditOf(experiment, { user: userKey(userId), metric, value: side * amount, cap, id: `${event.eventId}/${metric}`, variation }))]
    }))
  }

  /** @returns undefined if the id stands for a list of something else */
  function proofOf ({ namespace, action, recommender, feature, variations, experiment }: ExperimentPlan, userId: string, recommendationId: string | undefined, issued: IssuedId | undefined): Proof | undefined {
    if (recommendationId === undefined) return { kind: 'unknown' }
    if (issued === undefined) return { kind: 'served' }
    const arms = experiment.blended === undefined ? variations : [interleaved]
    const variation = arms.find(variation => issued.isFor({ namespace, action, recommender, feature, variation, userId }))
    return variation === undefined ? undefined : { kind: 'proven', variation }
  }

  async function creditConversion (experiments: readonly ExperimentPlan[], userId: string, conversion: Conversion): Promise<boolean[]> {
    const { recommender, feature, metric, value, eventId = newId() } = conversion
    const concerned = experiments.filter(experiment => experiment.recommender === recommender && (feature === undefined || experiment.feature === feature) && metric !== undefined && counts(experiment.metrics, metric))
    return Promise.all(concerned.filter(({ experiment }) => experiment.blended === undefined).map(async experiment => {
      const settings = experiment.metrics?.[metric!]
      const isRate = settings !== undefined && 'event' in settings && settings.value === undefined
      experiment.experiment.report?.({ kind: 'conversion', userId, metric: metric!, value })
      return tally.credit(experiment, { user: userKey(userId), metric: metric!, value: isRate ? 1 : value ?? 1, cap: isRate ? 1 : settings !== undefined && 'cap' in settings ? settings.cap : undefined, id: `${eventId}/${metric!}` })
    }))
  }

  return async (namespace, { userId, events, conversions }) => {
    const experiments = userId === undefined ? [] : experimentsOf(namespace)
    if (userId === undefined || experiments.length === 0) return uncounted
    const credits = await soon(Promise.all([
      Promise.all(events.map(async event => creditEvent(namespace, experiments, userId, event))),
      Promise.all(conversions.map(async conversion => creditConversion(experiments, userId, conversion)))
    ]))
    if (credits === undefined) return 'waiting'
    const [ofEvents, ofConversions] = credits
    if (![...ofEvents, ...ofConversions].flat().every(Boolean)) return 'waiting'
    return ofConversions.flat().length === 0 ? uncounted : 'counted'
  }
}

/** Returns the result of work that is done in time; undefined for work that goes on. */
async function soon<T> (work: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>(resolve => { timer = setTimeout(resolve, patience, undefined) })
  return Promise.race([work, late]).finally(() => { clearTimeout(timer) })
}

/** Returns whether an id stands for some list of the namespace that this user was served. */
function isOwnList ({ name: namespace, recommenders }: NamespacePlan, userId: string, issued: IssuedId): boolean {
  return [...recommenders.values()].some(({ action, name: recommender, variations, experiments }) =>
    [undefined, ...experiments.keys()].some(feature =>
      [...variations.map(({ name }) => name), interleaved].some(variation =>
        [userId, undefined].some(userId => issued.isFor({ namespace, action, recommender, feature, variation, userId })))))
}

/** Returns the metrics of an experiment that count events of a type. A metric without a value counts each user once. */
function metricsFor ({ metrics = {} }: ExperimentPlan, eventType: string): Array<{ metric: string, value: 'eventValue' | undefined, cap: number | undefined }> {
  return Object.entries(metrics).flatMap(([metric, settings]) => !('event' in settings) || settings.event !== eventType ? [] : [{ metric, value: settings.value, cap: settings.value === undefined ? 1 : settings.cap }])
}

function counts (metrics: Metrics | undefined, metric: string): boolean {
  return metrics === undefined || Object.hasOwn(metrics, metric)
}

/** Returns on which side of a blended list an item stands: -1 for the first variation, 1 for the second, 0 for neither. */
function sideOf (teams: readonly [readonly string[], readonly string[]] | undefined, itemId: string | undefined): -1 | 0 | 1 {
  if (teams === undefined || itemId === undefined) return 0
  return teams[0].includes(itemId) ? -1 : teams[1].includes(itemId) ? 1 : 0
}

/** For a blend, each click counts, and the sign of their sum decides: a cap would hide the other side's clicks. */
function creditOf ({ experiment }: ExperimentPlan, credit: Omit<Credit, 'kind'>): Omit<Credit, 'kind'> {
  return experiment.blended === undefined ? credit : { ...credit, cap: undefined, signed: true }
}
