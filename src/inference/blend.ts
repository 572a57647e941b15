import { Buffer } from 'node:buffer'
import type { Found } from '../cache/cache.ts'
import { entityTag, type Entry } from '../cache/entry.ts'
import { draft, type Drafted } from '../experiments/draft.ts'
import { interleaved } from '../experiments/interleave.ts'
import type { RecommendationIds } from '../experiments/recommendation-id.ts'
import type { ServedList, Teams } from '../experiments/tally/store.ts'
import { uniform } from '../experiments/uniform.ts'
import { listNames } from '../origins/answer.ts'
import type { Inference } from './infer.ts'
import { readListed, type ListedItem } from './listed.ts'
import { identityOf, matchedBy } from './mark.ts'

/** A blended list, as it goes out, and what an exposure to it tells. */
export interface Blended {
  readonly found: Found
  readonly list: ServedList
  readonly drafted: ReadonlyArray<Drafted<ListedItem>>
  readonly variations: readonly [string, string]
}

export type Blend = (inference: Inference, first: Found, second: Found) => Promise<Blended>

/**
 * Returns a function that blends the lists of two variations by team draft. The coin of each round comes from seed, user and placement, so
 * a longer list of the same two begins as a shorter one.
 */
export function createBlend (ids: RecommendationIds): Blend {
  return async (inference, first, second) => {
    const { request: { action, recommender, userId, numResults }, membership } = inference
    const { variations, seed } = membership!.experiment.experiment.blended!
    const [one, other] = [await readListed(action, first.entry.body), await readListed(action, second.entry.body)]
    const drafted = draft(one.items, other.items, {
      idOf: ({ itemId }) => itemId,
      size: numResults,
      firstBegins: round => uniform(seed, userId!, action, recommender, String(round)) < 0.5
    })
    const recommendationId = ids.issue(identityOf(inference.request, interleaved, membership!.experiment.feature), drafted.map(({ item: { itemId } }) => itemId))
    const matched = matchedBy({ ...membership!, assignment: { ...membership!.assignment, details: { variations } } }, interleaved)
    const body = Buffer.from(`{"${listNames[action]}":[${drafted.map(({ item: { text } }) => text).join()}],${JSON.stringify({ recommendationId, matchedExperiment: matched }).slice(1)}`)
    const worse = [first, second].find(isPoor) ?? (rank(first) >= rank(second) ? first : second)
    return {
      drafted,
      variations,
      list: { recommendationId, length: drafted.length, teams: teamsOf(drafted) },
      found: { ...worse, entry: { ...earlier(first.entry, second.entry), body, etag: entityTag(body), variation: variations.join('+') } }
    }
  }
}

function teamsOf (drafted: ReadonlyArray<Drafted<ListedItem>>): Teams {
  const of = (wanted: number): string[] => drafted.filter(({ team }) => team === wanted).map(({ item: { itemId } }) => itemId)
  return [of(0), of(1)]
}

/** Returns whether downstream caches should soon drop a list. Then they should drop the blend, too. */
function isPoor ({ stale, unverified }: Found): boolean {
  return stale !== undefined || unverified === true
}

/** Returns how far a list had to be fetched. The blend of two good lists is described as the one that came from farther. */
function rank ({ from }: Found): number {
  return ['memory', 'redis', 'origin'].indexOf(from)
}

/** Returns the entry that is to be renewed first, without its encoded bodies. */
function earlier (first: Entry, second: Entry): Entry {
  const { encoded: _, ...entry } = first.freshUntil < second.freshUntil ? first : second
  return { ...entry, undecorated: first.undecorated ?? second.undecorated }
}
