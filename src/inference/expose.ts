import { createHash, randomUUID } from 'node:crypto'
import type { Buffer } from 'node:buffer'
import { LRUCache } from 'lru-cache'
import { outcomeOf, type Found } from '../cache/cache.ts'
import type { RecommendationIds } from '../experiments/recommendation-id.ts'
import type { ExperimentStats } from '../experiments/stats.ts'
import type { Tally } from '../experiments/tally/tally.ts'
import { userKey } from '../experiments/user-key.ts'
import type { ExperimentPlan } from '../plan/plan.ts'
import type { EventBody } from '../targets/body.ts'
import { deliverTo, type EventTarget } from '../targets/target.ts'
import type { Blended } from './blend.ts'
import { readListed } from './listed.ts'

/** An answer under an experiment, on its way to the user. */
export interface Shown {
  readonly experiment: ExperimentPlan
  /** The name under which its users are counted. */
  readonly variation: string
  readonly userId: string
  readonly body: Buffer
  readonly etag: string
  /** How the cache came by it. */
  readonly found: Found
  readonly blended: Blended | undefined
}

export interface Exposures {
  /** Notes that a user gets an answer. It does not wait, and costs a look-up where the user was exposed to the same lately. */
  readonly note: (shown: Shown) => void
  /** Resolves when everything noted so far is counted, recorded or dropped. */
  readonly settled: () => Promise<void>
}

export interface ExposureOptions {
  readonly tally: Tally
  readonly ids: RecommendationIds
  readonly stats: ExperimentStats
  readonly targetsOf: (namespace: string) => ReadonlyMap<string, EventTarget> | undefined
  /** Epoch ms. */
  readonly now: () => number
  /** Milliseconds on a clock that nobody sets. */
  readonly steady: () => number
  readonly onError: (error: unknown) => void
}

/** One exposure of a user to a variation is recorded in this time, in ms; with a short attribution, in half of that. */
export const exposureWindow = 30 * 60 * 1000

/**
 * The approximate memory, in bytes, for the exposures that are remembered, to tell that a user was exposed in the window, and for each of
 * them besides its texts. That is some 200,000; a forgotten one is recorded again, and counts once all the same.
 */
const mostRemembered = 64 * 1024 * 1024
const overhead = 200

/** The most exposures that wait to be recorded, and the most that are on their way to targets. Further ones are counted, but not recorded. */
const mostWaiting = 10_000

/** The longest impression that Amazon Personalize takes. */
const longestImpression = 25

/**
 * Counts exposures and records them: once for each user, experiment and variation in a window, off the path of the request. A list whose
 * items or id a later event may be credited by is remembered, also within the window.
 */
export function createExposures ({ tally, ids, stats, targetsOf, now, steady, onError }: ExposureOptions): Exposures {
  const lately = new LRUCache<string, { etag: string, until: number }>({ maxSize: mostRemembered, sizeCalculation: ({ etag }, key) => overhead + 2 * (key.length + etag.length) })
  const waiting: Array<{ shown: Shown, isNew: boolean, at: number }> = []
  let working: Promise<void> | undefined
  let underWay = 0

  function note (shown: Shown): void {
    const { experiment, variation, userId, etag } = shown
    const key = `${experiment.id}\n${variation}\n${userId}`
    const known = lately.get(key)
    const at = steady()
    const isNew = known === undefined || known.until <= at
    if (!isNew && known.etag === etag) return
    lately.set(key, { etag, until: isNew ? at + windowOf(experiment) : known.until })
    if (isNew) {
      const { exposures } = stats.of(experiment.id)
      exposures.set(variation, (exposures.get(variation) ?? 0) + 1)
      experiment.experiment.report?.({ kind: 'exposure', userId })
    }
    if (waiting.length >= mostWaiting || underWay >= mostWaiting) {
      stats.droppedRecords++
      if (isNew) tally.expose(experiment, { user: userKey(userId), variation })
      return
    }
    waiting.push({ shown, isNew, at: now() })
    working ??= work()
  }

  async function work (): Promise<void> {
    // The answers of this turn of the event loop go out first.
    await new Promise(setImmediate)
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await handle(next).catch(onError)
    // In the same turn as the last look at the queue: what is noted later starts the work again.
    working = undefined
  }

  async function handle ({ shown, isNew, at }: typeof waiting[number]): Promise<void> {
    const { experiment, variation, userId, body, blended } = shown
    const { items, recommendationId } = await readListed(experiment.action, body)
    const isForeign = recommendationId !== undefined && ids.open(recommendationId) === undefined
    const list = blended?.list ?? (isForeign ? { recommendationId, length: items.length } : undefined)
    if (isNew || list !== undefined) tally.expose(experiment, { user: userKey(userId), variation, list })
    if (!isNew) return
    const itemIds = items.map(({ itemId }) => itemId)
    const targets = [...targetsOf(experiment.namespace) ?? []].map(([, target]) => target)
    for (const target of targets) if (target.takesBodies === true) send(target, recordOf(shown, { itemIds, recommendationId, at }))
    if (experiment.impressions) for (const target of targets) if (target.takesImpressions === true) send(target, impressionOf(shown, { itemIds, recommendationId, at }))
  }

  function send (target: EventTarget, body: EventBody): void {
    if (target.full === true || target.isFullFor?.(body) === true || underWay >= mostWaiting) {
      stats.droppedRecords++
      return
    }
    underWay++
    void deliverTo(target, body).then(shortfall => {
      underWay--
      if (shortfall !== undefined) stats.droppedRecords++
    })
  }

  return {
    note,
    settled: async () => working
  }
}

/** Returns the window of an experiment, in ms: a user who keeps coming must not be forgotten in the middle of it. */
function windowOf ({ attribution }: ExperimentPlan): number {
  return Math.min(exposureWindow, attribution / 2)
}

interface Seen {
  readonly itemIds: readonly string[]
  readonly recommendationId: string | undefined
  readonly at: number
}

/**
 * Returns the record of an exposure: an event of type `exposure`, in the form of the records of a namespace's events. The path is that of
 * the recommender: the path of the request names the user.
 */
function recordOf ({ experiment, variation, userId, found, blended }: Shown, { itemIds, recommendationId, at }: Seen): EventBody {
  const { namespace, action, recommender, feature, method, userIds } = experiment
  const named = userIds === 'plain' ? userId : createHash('sha256').update(userId).digest('hex')
  const exposure = {
    experiment: experiment.id,
    feature,
    method,
    variation,
    placement: { action, recommender },
    items: itemIds.map((itemId, i) => ({ itemId, position: i + 1, ...teamOf(blended, i) })),
    cache: outcomeOf(found)
  }
  return {
    namespace,
    userId: named,
    sessionId: undefined,
    conversions: [],
    broughtBy: { path: `/${action}/${namespace}/${recommender}`, headers: {}, query: {} },
    events: [{ eventId: randomUUID(), idGiven: false, userId: named, eventType: 'exposure', sentAt: at, recommendationId, more: { exposure } }]
  }
}

/** Returns the variation that placed an item against the other one. */
function teamOf (blended: Blended | undefined, i: number): { team?: string | null } {
  if (blended === undefined) return {}
  const team = blended.drafted[i]?.team
  return { team: team === undefined ? null : blended.variations[team] }
}

/** Returns the items that a user sees as an impression of Amazon Personalize. */
function impressionOf ({ experiment, userId }: Shown, { itemIds, recommendationId, at }: Seen): EventBody {
  const { namespace, action, recommender, feature } = experiment
  return {
    namespace,
    userId,
    sessionId: undefined,
    conversions: [],
    broughtBy: { path: `/${action}/${namespace}/${recommender}`, headers: {}, query: {} },
    events: [{ eventId: randomUUID(), idGiven: false, userId, eventType: 'impression', sentAt: at, recommendationId, impression: itemIds.slice(0, longestImpression), metricAttribution: { eventAttributionSource: feature } }]
  }
}
