/**
 * How well does the embedded recommender guess the next click of a shop session?
 *   node dist/bench/quality.js [FOLDER]      FOLDER holds train.txt and valid.txt: session, item, epoch second, tab-separated
 * The recommender guesses each click of the later day from the clicks of its session so far, which it gets one at a time. The benchmark
 * reports hit rate and mean reciprocal rank at 20, compared with popular items and with the items most often clicked with the last one.
 * Reference: Serenade publishes MRR@20 0.3197 for VMIS-kNN on such data.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Query } from '../src/recommender/query.ts'
import { SessionIndex } from '../src/recommender/session-index.ts'
import { defaultParameters } from '../src/origins/embedded.ts'

const folder = process.argv[2] ?? '../shared/data/session-clicks'
const cutoff = 20

interface Click { session: string, item: string, time: number }
type Recommend = (session: string, seen: readonly string[]) => string[]

function read (name: string): Click[] {
  const lines = readFileSync(join(folder, name), 'utf8').trim().split('\n').slice(1)
  return lines.map(line => line.split('\t')).map(([session, item, time]) => ({ session: session!, item: item!, time: Number(time) * 1000 }))
    .sort((a, b) => a.time - b.time)
}

function learned (clicks: readonly Click[]): { index: SessionIndex, learn: (click: Click) => void } {
  const index = new SessionIndex(Date.now)
  const learn = ({ session, item, time }: Click): void => { index.apply({ userId: session, sessionId: session, itemId: item, weight: 1, time }) }
  clicks.forEach(learn)
  return { index, learn }
}

function coOccurrence (clicks: readonly Click[]): Recommend {
  const sessions = new Map<string, Set<string>>()
  for (const { session, item } of clicks) sessions.set(session, (sessions.get(session) ?? new Set()).add(item))
  const together = new Map<string, Map<string, number>>()
  for (const items of sessions.values()) {
    for (const a of items) {
      const counts = together.get(a) ?? new Map<string, number>()
      for (const b of items) if (a !== b) counts.set(b, (counts.get(b) ?? 0) + 1)
      together.set(a, counts)
    }
  }
  return (_session, seen) => [...together.get(seen.at(-1)!) ?? []].sort((a, b) => b[1] - a[1]).slice(0, cutoff).map(([item]) => item)
}

const train = read('train.txt')
const valid = read('valid.txt')
const { index, learn } = learned(train)
const query = new Query(index)

const recommenders: Record<string, Recommend> = {
  'session kNN (embedded)': session =>
    query.recommend({ userId: session, numResults: cutoff, excludeSeen: false, parameters: defaultParameters }).map(({ itemId }) => itemId),
  'co-occurrence with the last item': coOccurrence(train),
  popularity: () => query.recommend({ userId: undefined, numResults: cutoff, excludeSeen: false, parameters: defaultParameters }).map(({ itemId }) => itemId)
}
const scores = Object.keys(recommenders).map(name => ({ name, hits: 0, reciprocalRanks: 0 }))

const soFar = new Map<string, string[]>()
let guesses = 0
for (const click of valid) {
  const seen = soFar.get(click.session) ?? []
  if (seen.length > 0) {
    guesses++
    for (const score of scores) {
      const rank = recommenders[score.name]!(click.session, seen).indexOf(click.item)
      if (rank < 0) continue
      score.hits++
      score.reciprocalRanks += 1 / (rank + 1)
    }
  }
  learn(click)
  soFar.set(click.session, [...seen, click.item])
}

const reference = 0.3197
console.table(scores.map(({ name, hits, reciprocalRanks }) => ({
  recommender: name,
  [`HR@${cutoff}`]: (hits / guesses).toFixed(4),
  [`MRR@${cutoff}`]: (reciprocalRanks / guesses).toFixed(4),
  'MRR : Serenade\'s 0.3197': (reciprocalRanks / guesses / reference).toFixed(2)
})))
console.log(`${guesses} guesses in ${soFar.size} sessions, after ${train.length} clicks`)
