import { fit } from './column.ts'
import type { SessionIndex } from './session-index.ts'
import { topPositions } from './top.ts'

/** The parameters of VMIS-kNN, with their names in the paper: L, m and k. */
export interface KnnParameters {
  /** L: the number of the user's last distinct items that form the query. */
  recentItems: number
  /** m: the number of most recent histories sharing an item that are compared. */
  sampleSize: number
  /** k: the number of most similar histories that vote. */
  neighbours: number
}

export interface ScoredItem {
  itemId: string
  score: number
  /** Set for an item that comes from popularity instead of similar histories. */
  popular?: true
}

export interface UserQuery {
  userId: string | undefined
  numResults: number
  excludeSeen: boolean
  parameters: KnnParameters
}

/** A mark is an unsigned number of 32 bits. */
const lastMark = 2 ** 32 - 1

/** In `related`: added to an item's frequency, so that an item in only a few histories gains little from its rarity. */
const rarityShrinkage = 5

/**
 * Answers queries on an index. It reuses its scratch space between queries. Queries are synchronous, so one instance per index is enough.
 * Scores are comparable within one answer only.
 */
export class Query {
  readonly #index: SessionIndex
  // By item slot. Scores are zero between queries; an item is excluded if its mark is this query's number.
  #scores = new Float64Array(1024)
  #excluded = new Uint32Array(1024)
  #queryNumber = 0
  readonly #disliked = new Set<number>()
  // The items of the query, newest first.
  #recent: number[] = []
  // Items with a score, in the order in which they first got one.
  #touched = new Int32Array(1024)
  #touchedCount = 0
  // Candidate histories, newest first.
  #candidates = new Float64Array(1024)
  #similarities = new Float64Array(1024)
  #newestShared = new Uint16Array(1024)

  constructor (index: SessionIndex) {
    this.#index = index
  }

  /** Returns items for a user; popular ones for an unknown user. The user's last item is never among them. */
  recommend (query: UserQuery): ScoredItem[] {
    const history = this.#begin(query)
    this.#score(history, query.parameters)
    this.#scaleByRarity()
    return this.#answer(query.numResults)
  }

  /** Returns items that often share a history with an item, relative to their frequency overall; honours `excludeSeen`. */
  related (itemId: string, query: UserQuery): ScoredItem[] {
    this.#begin(query)
    this.#recent = []
    const item = this.#index.items.get(itemId)
    if (item !== undefined) {
      this.#exclude(item)
      this.#recent.push(item)
      this.#score(0, query.parameters)
      this.#scaleAgainstPopularity()
    }
    return this.#answer(query.numResults)
  }

  /** Returns the given items, best first: those of similar histories, by popularity, unknown ones in the given order, disliked ones. */
  rerank (itemIds: readonly string[], query: Omit<UserQuery, 'numResults' | 'excludeSeen'>): ScoredItem[] {
    const { items, popularity } = this.#index
    const history = this.#begin({ ...query, numResults: itemIds.length, excludeSeen: false })
    this.#score(history, query.parameters)
    this.#scaleByRarity()
    const ranked = itemIds.map((itemId, given) => {
      const item = items.get(itemId)
      if (item === undefined || this.#disliked.has(item)) return { itemId, given, score: 0, popularity: -Infinity, disliked: item !== undefined }
      return { itemId, given, score: this.#scores[item]!, popularity: popularity.log(item), disliked: false }
    })
    this.#clearScores()
    const descending = (a: number, b: number): number => a === b ? 0 : b - a
    ranked.sort((a, b) => Number(a.disliked) - Number(b.disliked) || descending(a.score, b.score) || descending(a.popularity, b.popularity) || a.given - b.given)
    return ranked.map(({ itemId, score }) => ({ itemId, score: rounded(score) }))
  }

  /**
   * Returns predicted ratings of the given items, from 1 to 5: by each score as a share of the user's best score; by popularity if nothing
   * is known about the user; null for an unknown item.
   */
  rate (itemIds: readonly string[], query: Omit<UserQuery, 'numResults' | 'excludeSeen'>): Array<number | null> {
    const { items, popularity } = this.#index
    const history = this.#begin({ ...query, numResults: itemIds.length, excludeSeen: false })
    this.#score(history, query.parameters)
    this.#scaleByRarity()
    const best = this.#bestScore()
    const ratings = itemIds.map(itemId => {
      const item = items.get(itemId)
      if (item === undefined) return null
      return rounded(1 + 4 * (best > 0 ? this.#scores[item]! / best : popularity.share(item)))
    })
    this.#clearScores()
    return ratings
  }

  /** Collects the query's items and marks the excluded ones. @returns the user's current history; 0 if there is none */
  #begin ({ userId, excludeSeen, parameters }: UserQuery): number {
    const index = this.#index
    this.#scores = fit(this.#scores, index.items.size)
    this.#excluded = fit(this.#excluded, index.items.size)
    this.#touched = fit(this.#touched, index.items.size)
    if (++this.#queryNumber > lastMark) {
      this.#excluded.fill(0)
      this.#queryNumber = 1
    }
    this.#disliked.clear()
    this.#recent = []
    const user = userId === undefined ? undefined : index.users.get(userId)
    if (user === undefined) return 0

    const met = new Set<number>()
    for (const [item, interaction] of index.itemsOfUser(user)) {
      if (met.has(item)) continue
      met.add(item)
      const disliked = index.interactions.weight(interaction) <= 0
      if (disliked) this.#disliked.add(item)
      if (disliked || excludeSeen || met.size === 1) this.#exclude(item)
      if (!disliked && this.#recent.length < parameters.recentItems) this.#recent.push(item)
      if (met.size === index.limits.lookBack) break
    }
    return index.historyOfUser(user)
  }

  #score (ownHistory: number, { sampleSize, neighbours }: KnnParameters): void {
    const candidates = this.#gatherCandidates(ownHistory, sampleSize)
    for (const position of topPositions(this.#similarities, candidates, neighbours)) {
      const decay = 1 - 0.1 * (this.#newestShared[position]! + 1)
      if (decay > 0) this.#vote(this.#candidates[position]!, this.#similarities[position]! * decay)
    }
  }

  /**
   * Merges the posting lists of the query's items, newest history first, until `sampleSize` histories are found. All lists have the same
   * order, so the merge meets a history in all of its lists at once, and its similarity is then complete.
   */
  #gatherCandidates (ownHistory: number, sampleSize: number): number {
    this.#candidates = fit(this.#candidates, sampleSize)
    this.#similarities = fit(this.#similarities, sampleSize)
    this.#newestShared = fit(this.#newestShared, sampleSize)
    const recent = this.#recent
    const lists = recent.map(item => this.#index.postings(item))
    const ends = lists.map(list => list?.length ?? 0)
    let count = 0
    while (count < sampleSize) {
      let history = 0
      for (let i = 0; i < lists.length; i++) {
        if (ends[i]! > 0) history = Math.max(history, lists[i]!.histories[ends[i]! - 1]!)
      }
      if (!this.#index.histories.isKept(history)) break
      let similarity = 0
      let newestShared = -1
      for (let i = 0; i < lists.length; i++) {
        if (ends[i]! === 0 || lists[i]!.histories[ends[i]! - 1] !== history) continue
        ends[i]!--
        similarity += (recent.length - i) / recent.length
        if (newestShared < 0) newestShared = i
      }
      if (history === ownHistory) continue
      this.#candidates[count] = history
      this.#similarities[count] = similarity
      this.#newestShared[count] = newestShared
      count++
    }
    return count
  }

  #vote (history: number, voice: number): void {
    const { interactions } = this.#index
    this.#index.walkHistory(history, (item, interaction) => {
      const weight = interactions.weight(interaction)
      if (weight <= 0) return
      if (this.#scores[item] === 0) this.#touched[this.#touchedCount++] = item
      this.#scores[item]! += voice * weight
    })
  }

  #scaleByRarity (): void {
    const histories = this.#index.histories.count
    for (let i = 0; i < this.#touchedCount; i++) {
      const item = this.#touched[i]!
      this.#scores[item]! *= 1 + Math.log(histories / Math.max(1, this.#index.frequency(item)))
    }
  }

  #scaleAgainstPopularity (): void {
    for (let i = 0; i < this.#touchedCount; i++) {
      const item = this.#touched[i]!
      this.#scores[item]! /= Math.sqrt(this.#index.frequency(item) + rarityShrinkage)
    }
  }

  /** Returns the best of the scored items, filled up with popular ones; without excluded items. */
  #answer (numResults: number): ScoredItem[] {
    const { items, popularity } = this.#index
    const allowed: number[] = []
    for (let i = 0; i < this.#touchedCount; i++) {
      if (!this.#isExcluded(this.#touched[i]!)) allowed.push(this.#touched[i]!)
    }
    const scores = Float64Array.from(allowed, item => this.#scores[item]!)
    const answer: ScoredItem[] = []
    for (const position of topPositions(scores, allowed.length, numResults)) {
      const item = allowed[position]!
      this.#exclude(item)
      answer.push({ itemId: items.id(item), score: rounded(scores[position]!) })
    }
    this.#clearScores()
    const onlyPopular = answer.length === 0
    for (const item of popularity.ranking) {
      if (answer.length >= numResults) break
      if (!this.#isExcluded(item)) answer.push({ itemId: items.id(item), score: onlyPopular ? rounded(popularity.share(item)) : 0, popular: true })
    }
    return answer
  }

  #bestScore (): number {
    let best = 0
    for (let i = 0; i < this.#touchedCount; i++) best = Math.max(best, this.#scores[this.#touched[i]!]!)
    return best
  }

  #clearScores (): void {
    for (let i = 0; i < this.#touchedCount; i++) this.#scores[this.#touched[i]!] = 0
    this.#touchedCount = 0
  }

  #exclude (item: number): void {
    this.#excluded[item] = this.#queryNumber
  }

  #isExcluded (item: number): boolean {
    return this.#excluded[item] === this.#queryNumber
  }
}

function rounded (score: number): number {
  return Number(score.toPrecision(6))
}
