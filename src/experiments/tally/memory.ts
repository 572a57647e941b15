import { LRUCache } from 'lru-cache'
import { fieldOf, mostCredits, totalsOf, type Credit, type Exposure, type TallyStore } from './store.ts'

interface UserRecord {
  variation: string | undefined
  multiple: boolean
  /** By metric, what the user's credits sum up to. */
  readonly values: Map<string, number>
  readonly credits: Set<string>
}

/** The most users that are remembered, those exposed or credited least lately out first. A user takes some 500 bytes. */
const mostUsers = 100_000

/** The most experiments that are counted; a configuration has far fewer. */
const mostExperiments = 1_000

/** Counts in the memory of this process. A restart begins anew. */
export function createMemoryTally ({ attribution, now }: { attribution: number, now: () => number }): TallyStore {
  const users = new LRUCache<string, UserRecord>({ max: mostUsers, ttl: attribution, ttlResolution: 0, perf: { now } })
  const experiments = new LRUCache<string, Map<string, number>>({ max: mostExperiments })

  function totals (experiment: string): Map<string, number> {
    const known = experiments.get(experiment) ?? new Map<string, number>()
    experiments.set(experiment, known)
    return known
  }

  function recordOf (key: string): UserRecord {
    const known = users.get(key)
    if (known !== undefined) return known
    const begun: UserRecord = { variation: undefined, multiple: false, values: new Map(), credits: new Set() }
    users.set(key, begun)
    return begun
  }

  function expose (fields: Map<string, number>, key: string, { variation }: Exposure): void {
    const record = recordOf(key)
    // Setting it again begins its time anew.
    users.set(key, record)
    if (record.variation === undefined) {
      record.variation = variation
      add(fields, fieldOf('users', variation), 1)
    } else if (record.variation !== variation && !record.multiple) {
      record.multiple = true
      add(fields, 'multiple', 1)
    }
  }

  function credit (fields: Map<string, number>, key: string, { metric, value, cap = Infinity, id }: Credit): void {
    const { variation, values, credits } = recordOf(key)
    if (credits.has(id) || credits.size >= mostCredits) return
    credits.add(id)
    if (variation === undefined) {
      add(fields, fieldOf('unexposed', metric), 1)
      return
    }
    const before = values.get(metric) ?? 0
    const after = Math.min(cap, before + value)
    values.set(metric, after)
    add(fields, fieldOf('converted', metric, variation), Number(after !== 0) - Number(before !== 0))
    add(fields, fieldOf('sum', metric, variation), after - before)
    add(fields, fieldOf('squares', metric, variation), after * after - before * before)
  }

  return {
    async count (experiment, entries) {
      const fields = totals(experiment)
      for (const entry of entries) {
        const key = fieldOf(experiment, entry.user)
        if (entry.kind === 'exposure') expose(fields, key, entry)
        else credit(fields, key, entry)
      }
    },
    read: async experiment => totalsOf(experiments.get(experiment) ?? [])
  }
}

function add (fields: Map<string, number>, field: string, value: number): void {
  fields.set(field, (fields.get(field) ?? 0) + value)
}
