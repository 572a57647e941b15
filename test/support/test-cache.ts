import { createCache, type Cache, type Lookup, type Maker } from '../../src/cache/cache.ts'
import type { Entry, Made } from '../../src/cache/entry.ts'
import type { BurstTimers } from '../../src/cache/flights.ts'
import { createMemoryTier, type MemoryTier } from '../../src/cache/memory-tier.ts'
import type { CachePolicies } from '../../src/cache/cache-control.ts'
import type { CachePolicy } from '../../src/cache/policy.ts'
import type { RemoteAnswer, RemoteTier } from '../../src/cache/remote-tier.ts'
import { createCacheStats, type CacheStats } from '../../src/cache/stats.ts'
import { createUserVersions, type User, type UserVersions } from '../../src/cache/user-versions.ts'

export interface TestCache {
  cache: Cache
  memory: MemoryTier
  versions: UserVersions
  stats: CacheStats
  /** Advances the clock, in ms. */
  pass: (ms: number) => void
  now: () => number
  /** Errors of background work. */
  errors: unknown[]
}

/** Creates a cache whose clock a test advances. */
export function testCache ({ remote, versions = createUserVersions(), timers }: { remote?: RemoteTier, versions?: UserVersions, timers?: BurstTimers | undefined } = {}): TestCache {
  let time = 1_000_000
  const errors: unknown[] = []
  const memory = createMemoryTier(2 ** 20)
  const stats = createCacheStats()
  const now = (): number => time
  const cache = createCache({ memory, remote, versions, stats, now, onError: error => { errors.push(error) }, timers })
  return { cache, memory, versions, stats, pass (ms) { time += ms }, now, errors }
}

/** Timers that a test lets run, so that no test waits for them. */
export function testTimers (): BurstTimers & { pass: (ms: number) => void } {
  let time = 0
  let pending: Array<{ at: number, then: () => void }> = []
  return {
    now: () => time,
    after (ms, then) { pending.push({ at: time + ms, then }) },
    pass (ms) {
      time += ms
      const due = pending.filter(({ at }) => at <= time)
      pending = pending.filter(({ at }) => at > time)
      for (const { then } of due) then()
    }
  }
}

export const testPolicy: CachePolicy = { ttl: 10_000, staleWhileRevalidate: 5_000, staleIfError: 60_000, refreshOnEvents: true, whenUnverified: 'origin', downstreamAge: 10_000 }

/** The same for all, whatever is known of the user. */
export const testPolicies: CachePolicies = { none: testPolicy, synthetic: testPolicy, given: testPolicy }

export const testUser: User = { namespace: 'shop', userId: 'u' }

/** Returns a lookup with defaults. */
export function testLookup (more: Partial<Lookup> = {}): Lookup {
  return { key: 'key', user: testUser, policy: testPolicy, ...more }
}

export interface TestMaker extends Maker {
  /** Number of calls of `make`. */
  readonly calls: number
  /** The outcome of the next calls when they finish: a body, a complete answer or an error. */
  outcome: string | Made | Error
  /** While it is set, calls wait for `finish`. */
  held: boolean
  /** Number of waiting calls. */
  readonly waiting: number
  /** Finishes the oldest waiting call with the current `outcome`. */
  finish: () => void
  /** For each call, the function that stores a late answer. */
  readonly keepLate: Array<(made: Made) => void>
}

/** A failure that permits a stale answer or a fallback. */
export class Excusable extends Error {}

/** Creates a maker whose outcome and timing a test controls. */
export function testMaker (outcome: TestMaker['outcome'] = 'made', rescue?: string): TestMaker {
  const waiting: Array<() => void> = []
  let calls = 0
  const maker: TestMaker = {
    get calls () { return calls },
    get waiting () { return waiting.length },
    outcome,
    held: false,
    keepLate: [],
    finish: () => waiting.shift()!(),
    async make (keepLate) {
      calls++
      maker.keepLate.push(keepLate)
      if (maker.held) await new Promise<void>(resolve => { waiting.push(resolve) })
      if (maker.outcome instanceof Error) throw maker.outcome
      return typeof maker.outcome === 'string' ? { body: maker.outcome, variation: 'main' } : maker.outcome
    },
    excuse: error => error instanceof Excusable ? 'unavailable' : undefined,
    async rescue (error) {
      if (rescue === undefined) throw error
      return { body: rescue, variation: 'spare', degraded: 'unavailable' }
    }
  }
  return maker
}

interface Kept {
  key: string
  user: User | undefined
  entry: Entry
  version: string | undefined
}

export interface TestRemote extends RemoteTier {
  /** How often it was asked for a version alone. */
  versionsAsked: number
  /** The answer to lookups; undefined: the tier is unavailable. */
  answer: RemoteAnswer | undefined
  readonly asked: Array<{ key: string, user: User | undefined }>
  readonly kept: Kept[]
}

/** Creates a shared tier whose answer a test controls. */
export function testRemote (answer?: RemoteAnswer): TestRemote {
  const remote: TestRemote = {
    answer,
    asked: [],
    kept: [],
    versionsAsked: 0,
    async get (key, user) {
      remote.asked.push({ key, user })
      return remote.answer
    },
    async versionOf () {
      remote.versionsAsked++
      return remote.answer?.version
    },
    set (key, user, entry, version) { remote.kept.push({ key, user, entry, version }) }
  }
  return remote
}
