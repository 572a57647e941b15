import { createEntry, lackOf, limitedBy, type Entry, type Made } from './entry.ts'
import { createFlights, type BurstTimers } from './flights.ts'
import type { Kept, MemoryTier } from './memory-tier.ts'
import type { CachePolicy } from './policy.ts'
import type { RemoteAnswer, RemoteTier } from './remote-tier.ts'
import type { CacheStats, Outcome } from './stats.ts'
import type { User, UserVersions } from './user-versions.ts'

/** A query to the cache. */
export interface Lookup {
  readonly key: string
  /** The user whose events outdate the answer; undefined if no user's events do. */
  readonly user: User | undefined
  readonly policy: CachePolicy
}

/** Makes an answer that the cache does not have. */
export interface Maker {
  /**
   * Makes the answer.
   * @param keepLate stores an answer that arrives after another was served in its place, so that later requests can get it
   */
  make: (keepLate: (made: Made) => void) => Promise<Made>
  /** Returns a one-word reason why the cache may serve a stale answer instead of an error of `make`; undefined if it may not. */
  excuse: (error: unknown) => string | undefined
  /** Returns a fallback answer if `make` fails and no stale answer may be served. @throws the error for the caller, without a fallback */
  rescue: (error: unknown) => Promise<Made>
}

/** An answer and its source. */
export interface Found {
  readonly entry: Entry
  readonly from: 'memory' | 'redis' | 'origin'
  /** The rule of RFC 5861 that lets the cache serve the answer although it is no longer fresh. */
  readonly stale?: 'while-revalidate' | 'if-error'
  /** For an answer from memory: whether the cache could not verify that no event has outdated it. */
  readonly unverified?: boolean
  /** With `if-error`: the reason why making a newer answer failed. */
  readonly failure?: string | undefined
  /** For an answer from the origin: the reason why the cache called the origin. */
  readonly forwarded?: 'miss' | 'stale' | 'bypass'
  /** For an answer from the origin: whether the cache stored it. */
  readonly stored?: boolean
  /** Whether the answer was made for another request and is shared. */
  readonly collapsed?: boolean
  /** For an answer from the origin: the durations of the steps that made it, as a value of `Server-Timing`. */
  readonly timing?: string | undefined
}

export interface Cache {
  /** Returns the answer that memory has, if it is fresh and current. It is synchronous, so that a hit creates no promise. */
  peek: (lookup: Lookup) => Found | undefined
  /** Returns the answer from memory, the shared tier or the maker. @throws the error of `make` or `rescue`; then nothing is stored */
  get: (lookup: Lookup, maker: Maker) => Promise<Found>
}

export interface CacheOptions {
  memory: MemoryTier
  /** The tier that all instances share. */
  remote?: RemoteTier | undefined
  versions: UserVersions
  stats: CacheStats
  /** Returns the time in ms, on a steady clock. */
  now: () => number
  /** Receives the errors of background work, for which no request waits. */
  onError: (error: unknown) => void
  /** Absent: those of the process. */
  timers?: BurstTimers | undefined
}

/** An answer in the making, shared by all requests that wait for it. */
interface Flight extends Lookup {
  readonly slot: number
  /** The count of events when the flight began. */
  readonly begunAt: number
  /** The version of the user's events in the shared tier when the flight began; undefined if that tier did not return one. */
  readonly version: Promise<string | undefined>
  readonly landed: Promise<Found>
}

/** The part of a flight that the functions that make its answer need. */
type Course = Omit<Flight, 'version' | 'landed'>

/** The user's slot and the count of events when the making of an answer began. */
type Stamp = Pick<Kept, 'slot' | 'begunAt'>

/** The pause, in ms, before the next attempt to renew an entry after a failed one, while the cache can serve a stale answer. */
const renewalPause = 1_000

/**
 * Returns a cache that answers from two tiers, or has the maker make the answer: once for each key, however many requests wait for it.
 * The cache serves an answer that is no longer fresh as RFC 5861 allows, and never serves an answer that an event of its user has
 * outdated. If this instance may have missed announcements, an answer or a flight is valid only if it was made under the version that the
 * user has in the shared tier now. If that tier cannot be reached either, a request shares the next flight, which begins after the request
 * came.
 */
export function createCache ({ memory, remote, versions, stats, now, onError, timers }: CacheOptions): Cache {
  const flights = createFlights<Flight, Found>(timers)

  const mattersTo = ({ user, policy }: Lookup): User | undefined => policy.refreshOnEvents ? user : undefined
  const isCurrent = ({ slot, begunAt }: Stamp): boolean => slot < 0 || versions.isCurrent(slot, begunAt)
  const isOutdated = ({ slot, begunAt }: Stamp): boolean => slot >= 0 && versions.isOutdated(slot, begunAt)

  function peek (lookup: Lookup): Found | undefined {
    const entry = limitedBy(lookup.policy, memory.get(lookup.key))
    if (entry === undefined || entry.freshUntil <= now() || !isCurrent(entry)) return undefined
    stats.served['hit-memory']++
    return { entry, from: 'memory' }
  }

  async function get (lookup: Lookup, maker: Maker): Promise<Found> {
    const found = kept(lookup, maker, isCurrent) ?? (isToVerify(memory.get(lookup.key), lookup) ? await verified(lookup, maker) : undefined) ?? unverified(lookup) ?? await join(lookup, maker)
    stats.served[outcomeOf(found)]++
    return found
  }

  /** Returns an entry that memory may serve without waiting. Renews a stale one in the background, unless renewing it has just failed. */
  function kept (lookup: Lookup, maker: Maker, counts: (entry: Kept) => boolean): Found | undefined {
    const entry = limitedBy(lookup.policy, memory.get(lookup.key))
    if (entry === undefined || !counts(entry)) return undefined
    const time = now()
    if (entry.freshUntil > time) return { entry, from: 'memory' }
    const failedLately = entry.renewAt !== undefined && entry.renewAt > time
    if (entry.staleUntil > time) {
      if (!failedLately) join(lookup, maker).catch(onError)
      return { entry, from: 'memory', stale: 'while-revalidate' }
    }
    if (!failedLately || entry.renewalFailure === undefined || entry.errorUntil <= time) return undefined
    return { entry, from: 'memory', stale: 'if-error', failure: entry.renewalFailure }
  }

  /** Returns the entry that memory may serve, if the shared tier confirms that no event has come since the entry was made. */
  async function verified (lookup: Lookup, maker: Maker): Promise<Found | undefined> {
    const { version } = memory.get(lookup.key)!
    return await isOfNow(Promise.resolve(version), lookup) ? kept(lookup, maker, entry => entry.version === version && !isOutdated(entry)) : undefined
  }

  /**
   * Returns an entry that nothing can verify now, because the link to the shared tier is away. The policy has to allow that, and downstream
   * caches might still serve the same answer.
   */
  function unverified ({ key, policy }: Lookup): Found | undefined {
    if (policy.whenUnverified !== 'serve' || versions.state !== 'away') return undefined
    const entry = memory.get(key)
    if (entry === undefined || isOutdated(entry) || now() - entry.madeAt >= policy.downstreamAge) return undefined
    return { entry, from: 'memory', unverified: true }
  }

  /** Returns whether only the shared tier can tell if an event has outdated an answer or a flight. */
  function isToVerify (made: Stamp | undefined, lookup: Lookup): made is Stamp {
    return remote !== undefined && made !== undefined && mattersTo(lookup) !== undefined && !isCurrent(made) && !isOutdated(made)
  }

  /** Returns whether no event has outdated an answer made under a version. If none has, memory's entry of that version is current again. */
  async function isOfNow (version: Promise<string | undefined>, lookup: Lookup): Promise<boolean> {
    const asked = versions.now
    const [made, inForce] = await Promise.all([version, remote!.versionOf(lookup.user!)])
    if (made === undefined || made !== inForce) return false
    const entry = memory.get(lookup.key)
    if (entry?.version === made && entry.begunAt < asked) memory.set(lookup.key, { ...entry, begunAt: asked })
    return true
  }

  /** Waits for the flight under way if no event can have come since it began; otherwise for the next one, with all requests that come. */
  async function join (lookup: Lookup, maker: Maker): Promise<Found> {
    const came = flights.begun
    const flight = flights.latest(lookup.key)
    if (flight !== undefined && (isCurrent(flight) || (isToVerify(flight, lookup) && await isOfNow(flight.version, lookup)))) return { ...await flight.landed, collapsed: true }
    const gathers = mattersTo(lookup) !== undefined && versions.state === 'away'
    const { value, collapsed } = await flights.next(lookup.key, came, () => begin(lookup, maker), gathers)
    return collapsed ? { ...value, collapsed } : value
  }

  function begin ({ key, user, policy }: Lookup, maker: Maker): Flight {
    const slot = user === undefined || !policy.refreshOnEvents ? -1 : versions.slotOf(user)
    const course: Course = { key, user, policy, slot, begunAt: versions.now }
    const shared = askRemote(course)
    return { ...course, version: shared.then(answer => answer?.version), landed: find(course, shared, maker) }
  }

  async function askRemote (course: Course): Promise<RemoteAnswer | undefined> {
    const user = mattersTo(course)
    if (remote === undefined) return undefined
    if (course.policy.ttl > 0) {
      const answer = await remote.get(course.key, user)
      if (answer === undefined) stats.withoutRedis++
      return answer
    }
    // Only requests that join this flight later need the version, and they need none while this instance is leased.
    return user === undefined || versions.state === 'leased' ? undefined : { version: await remote.versionOf(user) }
  }

  async function find (course: Course, asking: Promise<RemoteAnswer | undefined>, maker: Maker): Promise<Found> {
    const shared = await asking
    const version = shared?.version
    if (course.policy.ttl === 0) return make(course, maker, { forwarded: 'bypass', version })
    const entry = limitedBy(course.policy, shared?.entry)
    if (entry !== undefined && entry.freshUntil > now()) {
      keepInMemory(course, entry, version)
      return { entry, from: 'redis' }
    }
    const old = limitedBy(course.policy, memory.get(course.key))
    const counts = (candidate: Kept): boolean => isCurrent(candidate) || (version !== undefined && candidate.version === version)
    const current = old !== undefined && counts(old) ? old : undefined
    if (entry !== undefined && entry.staleUntil > now() && entry.madeAt > (old?.madeAt ?? 0)) {
      keepInMemory(course, entry, version)
      // Renews the entry that is now in memory, once this flight has landed.
      setImmediate(() => { kept(course, maker, counts) })
      return { entry, from: 'redis', stale: 'while-revalidate' }
    }
    if (old !== undefined && current === undefined && isOutdated(old)) stats.outdated++
    const isNewer = entry !== undefined && entry.madeAt > (current?.madeAt ?? 0)
    return make(course, maker, {
      forwarded: old === undefined && entry === undefined ? 'miss' : 'stale',
      spare: isNewer ? entry : current,
      spareFrom: isNewer ? 'redis' : 'memory',
      version
    })
  }

  async function make (course: Course, maker: Maker, { forwarded, spare, spareFrom = 'memory', version }: Circumstances): Promise<Found> {
    const began = now()
    const found = (made: Made): Found => {
      const entry = createEntry(made, course.policy, now())
      const isToKeep = course.policy.ttl > 0 && !isOutdated(course)
      const stored = isToKeep && keepInMemory(course, entry, version)
      if (isToKeep && lackOf(entry) === undefined) remote?.set(course.key, mattersTo(course), entry, version)
      return { entry, from: 'origin', forwarded, stored, timing: made.timing }
    }
    const staleInstead = (failure: string | undefined): Found | undefined => {
      if (spare === undefined || spare.errorUntil <= now() || isOutdated(course)) return undefined
      keepInMemory(course, { ...spare, renewAt: now() + renewalPause, renewalFailure: failure }, version)
      return failure === undefined ? undefined : { entry: spare, from: spareFrom, stale: 'if-error', failure }
    }
    try {
      const made = await maker.make(late => { if (isOlder(memory.peek(course.key), began)) found(late) })
      // A complete answer is better than a degraded one, even if it is a little old.
      return (made.degraded === undefined ? undefined : staleInstead(made.degraded)) ?? found(made)
    } catch (error) {
      const stale = staleInstead(maker.excuse(error))
      if (stale !== undefined) return stale
      stats.failures++
      return found(await maker.rescue(error))
    }
  }

  function keepInMemory ({ key, slot, begunAt }: Course, entry: Entry & Partial<Kept>, version: string | undefined): boolean {
    return memory.set(key, { ...entry, slot, begunAt, version })
  }

  return { peek, get }
}

/** Returns the outcome of a query, as metrics count it. */
export function outcomeOf ({ from, stale, forwarded, collapsed }: Found): Outcome {
  if (collapsed === true) return 'collapsed'
  if (stale !== undefined) return `stale-${stale}`
  if (from !== 'origin') return `hit-${from}`
  return forwarded === 'bypass' ? 'bypass' : 'miss'
}

/** Returns whether the entry in memory is worse than a late answer whose making began at `began`. */
function isOlder (entry: Kept | undefined, began: number): boolean {
  return entry === undefined || lackOf(entry) !== undefined || entry.madeAt <= began
}

interface Circumstances {
  forwarded: NonNullable<Found['forwarded']>
  /** The entry to serve if making a newer one fails. */
  spare?: Entry | undefined
  spareFrom?: 'memory' | 'redis'
  /** The version of the user's events in the shared tier. */
  version?: string | undefined
}
