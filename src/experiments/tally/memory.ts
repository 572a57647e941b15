import { LRUCache } from 'lru-cache'
import { contestedOf, fieldOf, mostCredits, mostLists, totalsOf, type Credit, type Exposure, type ServedList, type TallyStore } from './store.ts'

interface UserRecord {
  variation: string | undefined
  multiple: boolean
  /** By metric, what the user's credits sum up to. */
  readonly values: Map<string, number>
  readonly credits: Set<string>
  /** The newest first. */
  readonly lists: ServedList[]
}

/** The most users that are remembered, those exposed or credited least lately out first. A user takes some 500 bytes. */
const mostUsers = 100_000

/** The most experiments that are counted; a configuration has far fewer. */
const mostExperiments = 1_000

/** Counts in the memory of this process. A restart begins anew. */
export function createMemoryTally ({ now }: { now: () => number }): TallyStore {
  const users = new LRUCache<string, UserRecord>({ max: mostUsers, ttl: 1, ttlResolution: 0, perf: { now } })
  const experiments = new LRUCache<string, Map<string, number>>({ max: mostExperiments })

  function totals (experiment: string): Map<string, number> {
    const known = experiments.get(experiment) ?? new Map<string, number>()
    experiments.set(experiment, known)
    return known
  }

  function recordOf (key: string, ttl: number): UserRecord {
    const known = users.get(key)
    if (known !== undefined) return known
    const begun: UserRecord = { variation: undefined, multiple: false, values: new Map(), credits: new Set(), lists: [] }
    users.set(key, begun, { ttl })
    return begun
  }

  function expose (fields: Map<string, number>, key: string, { variation, list }: Exposure, ttl: number): void {
    const record = recordOf(key, ttl)
    // Setting it again begins its time anew.
    users.set(key, record, { ttl })
    if (list !== undefined) remember(fields, record, list)
    if (record.variation === undefined) {
      record.variation = variation
      add(fields, fieldOf('users', variation), 1)
    } else if (record.variation !== variation && !record.multiple) {
      record.multiple = true
      add(fields, 'multiple', 1)
    }
  }

  function remember (fields: Map<string, number>, { lists }: UserRecord, list: ServedList): void {
    if (lists.some(({ recommendationId }) => recommendationId === list.recommendationId)) return
    lists.unshift(list)
    lists.splice(mostLists)
    if (list.teams === undefined) return
    add(fields, fieldOf('positions', 'contested'), contestedOf(list))
    add(fields, fieldOf('positions', 'all'), list.length)
  }

  function credit (fields: Map<string, number>, key: string, { metric, value, cap = Infinity, id, signed = false, ...proven }: Credit, ttl: number): void {
    const known = recordOf(key, ttl)
    if (known.credits.has(id) || known.credits.size >= mostCredits) return
    if (known.variation === undefined && proven.variation !== undefined) expose(fields, key, { kind: 'exposure', user: '', variation: proven.variation }, ttl)
    const { variation, values, credits } = known
    credits.add(id)
    if (variation === undefined) {
      add(fields, fieldOf('unexposed', metric), 1)
      return
    }
    const before = values.get(metric) ?? 0
    const after = Math.min(cap, before + value)
    values.set(metric, after)
    const [was, is] = signed ? [Math.sign(before), Math.sign(after)] : [before, after]
    add(fields, fieldOf('converted', metric, variation), Number(is !== 0) - Number(was !== 0))
    add(fields, fieldOf('sum', metric, variation), is - was)
    add(fields, fieldOf('squares', metric, variation), is * is - was * was)
  }

  return {
    async count ({ id, attribution }, entries) {
      const fields = totals(id)
      for (const entry of entries) {
        const key = fieldOf(id, entry.user)
        if (entry.kind === 'exposure') expose(fields, key, entry, attribution)
        else credit(fields, key, entry, attribution)
      }
    },
    read: async id => totalsOf(experiments.get(id) ?? []),
    lists: async (id, user) => [...users.get(fieldOf(id, user))?.lists ?? []]
  }
}

function add (fields: Map<string, number>, field: string, value: number): void {
  fields.set(field, (fields.get(field) ?? 0) + value)
}
