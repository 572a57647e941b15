import type { Sums } from '../statistics/comparison.ts'

/** An experiment to count for. */
export interface Counted {
  readonly id: string
  /** A user is forgotten so long after the last exposure, in ms. Later credits count as of nobody who was exposed. */
  readonly attribution: number
}

/** A user was served a variation of an experiment. */
export interface Exposure {
  readonly kind: 'exposure'
  readonly user: string
  readonly variation: string
  /** The list that was served, where a credit may have to look it up; absent: no credit does. */
  readonly list?: ServedList | undefined
}

/** The items of a blended list that count, by the variation that placed them. */
export type Teams = readonly [first: readonly string[], second: readonly string[]]

export interface ServedList {
  readonly recommendationId: string
  /** Absent for a list of one variation. */
  readonly teams?: Teams | undefined
  /** The number of items. */
  readonly length: number
}

/** A user did what a metric of an experiment counts. */
export interface Credit {
  readonly kind: 'credit'
  readonly user: string
  readonly metric: string
  readonly value: number
  /** The most that one user may add to the metric; absent: no limit. */
  readonly cap?: number | undefined
  /** A credit of a user with an id that counted before is the same one, sent again. */
  readonly id: string
  /** The variation that the recommendation id of the event proves: without an exposure that is remembered, the credit counts as one, too. */
  readonly variation?: string | undefined
  /** Whether only the sign of what the user's credits sum up to counts, as for interleaving. */
  readonly signed?: boolean | undefined
}

export type Entry = Exposure | Credit

export interface Totals {
  /** By variation, the users exposed to it first. */
  readonly users: ReadonlyMap<string, number>
  /** By metric and variation, the sums over these users. */
  readonly metrics: ReadonlyMap<string, ReadonlyMap<string, Omit<Sums, 'users'>>>
  /** The users that were seen in more than one variation. */
  readonly multiple: number
  /** By metric, the credits of users that were not exposed. */
  readonly unexposed: ReadonlyMap<string, number>
  /** Of blended lists, the items that one variation placed against the other, and all items. */
  readonly positions: { readonly contested: number, readonly all: number }
}

/**
 * Counts the exposures and conversions of experiments. A user is one unit: the first variation counts, and what all credits of the user
 * sum up to. An entry that is counted again, since its outcome was not known, changes nothing.
 */
export interface TallyStore {
  /** Counts entries of one experiment, in order. @throws if it is not known whether they were counted */
  readonly count: (experiment: Counted, entries: readonly Entry[]) => Promise<void>
  readonly read: (id: string) => Promise<Totals>
  /** Returns the lists that a user was served last, the newest first: at most `mostLists`, of which only exposures that named a list are known. */
  readonly lists: (id: string, user: string) => Promise<ServedList[]>
}

/** The lists of one user and experiment that are remembered. */
export const mostLists = 10

/** The attribution of an experiment that names none, in seconds: seven days. */
export const defaultAttribution = 7 * 24 * 60 * 60

/** The most credits of one user and experiment whose ids are remembered. Further ones are not counted. */
export const mostCredits = 1_000

/** Separates the parts of a field of the totals. No name has it in it. */
const separator = '\u001f'

export const fieldOf = (...parts: readonly string[]): string => parts.join(separator)

/** Returns the totals of fields and their numbers, as stores keep them. */
export function totalsOf (fields: Iterable<readonly [string, number]>): Totals {
  const users = new Map<string, number>()
  const unexposed = new Map<string, number>()
  const metrics = new Map<string, Map<string, { converted: number, sum: number, squares: number }>>()
  let multiple = 0
  const positions = { contested: 0, all: 0 }
  for (const [field, value] of fields) {
    const [kind, name = '', variation = ''] = field.split(separator)
    if (kind === 'multiple') multiple = value
    else if (kind === 'users') users.set(name, value)
    else if (kind === 'positions' && (name === 'contested' || name === 'all')) positions[name] = value
    else if (kind === 'unexposed') unexposed.set(name, value)
    else if (kind === 'converted' || kind === 'sum' || kind === 'squares') {
      const variations = metrics.get(name) ?? new Map<string, { converted: number, sum: number, squares: number }>()
      const sums = variations.get(variation) ?? { converted: 0, sum: 0, squares: 0 }
      sums[kind] = value
      metrics.set(name, variations.set(variation, sums))
    }
  }
  return { users, metrics, multiple, unexposed, positions }
}

/** Returns the number of items of a list that one variation placed against the other. */
export function contestedOf ({ teams }: ServedList): number {
  return teams === undefined ? 0 : teams[0].length + teams[1].length
}
