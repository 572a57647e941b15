import { createEntry, lackOf, limitedBy, type Entry, type Made } from './entry.ts'
import type { Kept, MemoryTier } from './memory-tier.ts'
import type { CachePolicy } from './policy.ts'
import type { RemoteAnswer, RemoteTier } from './remote-tier.ts'
import type { CacheStats, Outcome } from './stats.ts'
import type { User, UserVersions } from './user-versions.ts'

/** What is asked of the cache. */
export interface Lookup {
  readonly key: string
  /** Whose events outdate the answer; undefined where nobody's do. */
  readonly user: User | undefined
  readonly policy: CachePolicy
}

/** How to make an answer that is not there. */
export interface Maker {
  /** @param keepLate takes an answer that comes after another was served in its place: the next who asks may have it */
  make: (keepLate: (made: Made) => void) => Promise<Made>
  /** Why something stale may be served in the place of a failure of `make`, in a word; undefined where it may not. */
  excuse: (error: unknown) => string | undefined
  /** Asked where nothing stale may be served either. @throws what the caller is to be told, where it has no answer */
  rescue: (error: unknown) => Promise<Made>
}

/** An answer, and where it came from. */
export interface Found {
  readonly entry: Entry
  readonly from: 'memory' | 'redis' | 'origin'
  /** Why it is served though past its time. */
  readonly stale?: 'while-revalidate' | 'if-error'
  /** With `if-error`: why nothing newer could be made. */
  readonly failure?: string | undefined
  /** Of one from the origin: why it was asked. */
  readonly forwarded?: 'miss' | 'stale' | 'bypass'
  /** Of one from the origin: whether it was kept. */
  readonly stored?: boolean
  /** It was made for another request, too. */
  readonly collapsed?: boolean
  /** Of one from the origin: how its making took its time, as `Server-Timing` has it. */
  readonly timing?: string | undefined
}

export interface Cache {
  /** What memory has, where it can be served right away; no promise is made for it. */
  peek: (lookup: Lookup) => Found | undefined
  /** The answer, from wherever it is to be had. @throws what `make` or `rescue` throws; then nothing is kept */
  get: (lookup: Lookup, maker: Maker) => Promise<Found>
}

export interface CacheOptions {
  memory: MemoryTier
  /** The tier that instances share. */
  remote?: RemoteTier | undefined
  versions: UserVersions
  stats: CacheStats
  /** Epoch milliseconds. */
  now: () => number
  /** Told what failed with nobody waiting for it. */
  onError: (error: unknown) => void
}

/** The making of an answer, for all who wait for it. */
interface Flight extends Lookup {
  readonly slot: number
  /** The count of events when it began. */
  readonly begunAt: number
}

/** What failed to be made anew is not tried again for so long, in ms, while there is something stale to serve. */
const renewalPause = 1_000

/**
 * Answers from two tiers, or has the answer made: once for each key, however many wait for it. Past its time an answer is served as
 * RFC 5861 allows; once an event of its user has outdated it, never.
 */
export function createCache ({ memory, remote, versions, stats, now, onError }: CacheOptions): Cache {
  const flights = new Map<string, { flight: Flight, found: Promise<Found> }>()

  const mattersTo = ({ user, policy }: Lookup): User | undefined => policy.refreshOnEvents ? user : undefined
  const isCurrent = ({ slot, begunAt }: { slot: number, begunAt: number }): boolean => slot < 0 || versions.isCurrent(slot, begunAt)

  function peek (lookup: Lookup): Found | undefined {
    const found = fresh(lookup)
    if (found !== undefined) stats.served['hit-memory']++
    return found
  }

  async function get (lookup: Lookup, maker: Maker): Promise<Found> {
    const found = fresh(lookup) ?? stale(lookup, maker) ?? await join(lookup, maker)
    stats.served[outcomeOf(found)]++
    return found
  }

  function fresh ({ key, policy }: Lookup): Found | undefined {
    const entry = limitedBy(policy, memory.get(key))
    if (entry === undefined || entry.freshUntil <= now() || !isCurrent(entry)) return undefined
    return { entry, from: 'memory' }
  }

  /** What may be served past its time without waiting. It is made anew meanwhile, unless that has just failed. */
  function stale (lookup: Lookup, maker: Maker): Found | undefined {
    const entry = limitedBy(lookup.policy, memory.get(lookup.key))
    if (entry === undefined || !isCurrent(entry)) return undefined
    const time = now()
    const failedLately = entry.renewAt !== undefined && entry.renewAt > time
    if (entry.staleUntil > time) {
      if (!failedLately) join(lookup, maker).catch(onError)
      return { entry, from: 'memory', stale: 'while-revalidate' }
    }
    if (!failedLately || entry.renewalFailure === undefined || entry.errorUntil <= time) return undefined
    return { entry, from: 'memory', stale: 'if-error', failure: entry.renewalFailure }
  }

  /** Waits for the answer that is being made, unless an event has come since its making began; else makes it, for all who come. */
  async function join (lookup: Lookup, maker: Maker): Promise<Found> {
    const under = flights.get(lookup.key)
    if (under !== undefined && isCurrent(under.flight)) return { ...await under.found, collapsed: true }
    const user = mattersTo(lookup)
    const { key, policy } = lookup
    const flight = { key, user: lookup.user, policy, slot: user === undefined ? -1 : versions.slotOf(user), begunAt: versions.now }
    const found = find(flight, maker)
    flights.set(lookup.key, { flight, found })
    try {
      return await found
    } finally {
      if (flights.get(lookup.key)?.flight === flight) flights.delete(lookup.key)
    }
  }

  async function find (flight: Flight, maker: Maker): Promise<Found> {
    if (flight.policy.ttl === 0) return make(flight, maker, { forwarded: 'bypass' })
    const shared = await askRemote(flight)
    const entry = limitedBy(flight.policy, shared?.entry)
    if (entry !== undefined && entry.freshUntil > now()) {
      keepInMemory(flight, entry)
      return { entry, from: 'redis' }
    }
    const old = limitedBy(flight.policy, memory.get(flight.key))
    if (entry !== undefined && entry.staleUntil > now() && entry.madeAt > (old?.madeAt ?? 0)) {
      keepInMemory(flight, entry)
      // Once this flight has landed, what is in memory now is made anew.
      setImmediate(() => { if (fresh(flight) === undefined) stale(flight, maker) })
      return { entry, from: 'redis', stale: 'while-revalidate' }
    }
    const current = old !== undefined && isCurrent(old) ? old : undefined
    if (old !== undefined && current === undefined && versions.trusted) stats.outdated++
    const isNewer = entry !== undefined && entry.madeAt > (current?.madeAt ?? 0)
    return make(flight, maker, {
      forwarded: old === undefined && entry === undefined ? 'miss' : 'stale',
      spare: isNewer ? entry : current,
      spareFrom: isNewer ? 'redis' : 'memory',
      version: shared?.version
    })
  }

  async function askRemote (flight: Flight): Promise<RemoteAnswer | undefined> {
    if (remote === undefined) return undefined
    const answer = flight.slot >= 0 && !versions.trusted ? undefined : await remote.get(flight.key, mattersTo(flight))
    if (answer === undefined) stats.withoutRedis++
    return answer
  }

  async function make (flight: Flight, maker: Maker, { forwarded, spare, spareFrom = 'memory', version }: Circumstances): Promise<Found> {
    const found = (made: Made): Found => {
      const entry = createEntry(made, flight.policy, now())
      const isToKeep = flight.policy.ttl > 0 && isCurrent(flight)
      const stored = isToKeep && keepInMemory(flight, entry)
      if (isToKeep && lackOf(entry) === undefined) remote?.set(flight.key, mattersTo(flight), entry, version)
      return { entry, from: 'origin', forwarded, stored, timing: made.timing }
    }
    const staleInstead = (failure: string | undefined): Found | undefined => {
      if (spare === undefined || spare.errorUntil <= now() || !isCurrent(flight)) return undefined
      keepInMemory(flight, { ...spare, renewAt: now() + renewalPause, renewalFailure: failure })
      return failure === undefined ? undefined : { entry: spare, from: spareFrom, stale: 'if-error', failure }
    }
    try {
      const made = await maker.make(found)
      // Something whole is worth more than something that stands in, be it a little old.
      return (made.degraded === undefined ? undefined : staleInstead(made.degraded)) ?? found(made)
    } catch (error) {
      const stale = staleInstead(maker.excuse(error))
      if (stale !== undefined) return stale
      stats.failures++
      return found(await maker.rescue(error))
    }
  }

  function keepInMemory ({ key, slot, begunAt }: Flight, entry: Entry & Partial<Kept>): boolean {
    return memory.set(key, { ...entry, slot, begunAt })
  }

  return { peek, get }
}

function outcomeOf ({ from, stale, forwarded, collapsed }: Found): Outcome {
  if (collapsed === true) return 'collapsed'
  if (stale !== undefined) return `stale-${stale}`
  if (from !== 'origin') return `hit-${from}`
  return forwarded === 'bypass' ? 'bypass' : 'miss'
}

interface Circumstances {
  forwarded: NonNullable<Found['forwarded']>
  /** What may be served where nothing newer can be made. */
  spare?: Entry | undefined
  spareFrom?: 'memory' | 'redis'
  /** Of the user's events, as the shared tier has it. */
  version?: string | undefined
}
