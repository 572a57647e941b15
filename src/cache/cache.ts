import { createEntry, lackOf, limitedBy, type Entry, type Made } from './entry.ts'
import { createFlights } from './flights.ts'
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
  /** Of one from memory: nobody can tell whether an event has outdated it. */
  readonly unverified?: boolean
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
  /** The version of the user's events when it began, as the shared tier has it; undefined where it does not tell. */
  readonly version: Promise<string | undefined>
  readonly landed: Promise<Found>
}

/** A flight as its making sees it. */
type Course = Omit<Flight, 'version' | 'landed'>

/** Of a user's answer: when its making began. */
type Stamp = Pick<Kept, 'slot' | 'begunAt'>

/** What failed to be made anew is not tried again for so long, in ms, while there is something stale to serve. */
const renewalPause = 1_000

/**
 * Answers from two tiers, or has the answer made: once for each key, however many wait for it. Past its time an answer is served as
 * RFC 5861 allows; once an event of its user has outdated it, never. Where announcements may have been missed, an answer or a flight
 * counts when the version under which it was made is the user's version in the shared tier now. Where that tier cannot be asked, either,
 * a request shares the next flight, which begins after the request came.
 */
export function createCache ({ memory, remote, versions, stats, now, onError }: CacheOptions): Cache {
  const flights = createFlights<Flight, Found>()

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

  /** What memory has and may serve without waiting. What is past its time is made anew meanwhile, unless that has just failed. */
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

  /** The same, where the shared tier says that no event has come since it was made. */
  async function verified (lookup: Lookup, maker: Maker): Promise<Found | undefined> {
    const { version } = memory.get(lookup.key)!
    return await isOfNow(Promise.resolve(version), lookup) ? kept(lookup, maker, entry => entry.version === version && !isOutdated(entry)) : undefined
  }

  /** While nobody can be asked, an answer that downstream may still have is served to those who want it so. */
  function unverified ({ key, policy }: Lookup): Found | undefined {
    if (policy.whenUnverified !== 'serve' || versions.state !== 'away') return undefined
    const entry = memory.get(key)
    if (entry === undefined || isOutdated(entry) || now() - entry.madeAt >= policy.downstreamAge) return undefined
    return { entry, from: 'memory', unverified: true }
  }

  /** Whether only the shared tier can tell if an event has outdated what was made. */
  function isToVerify (made: Stamp | undefined, lookup: Lookup): made is Stamp {
    return remote !== undefined && made !== undefined && mattersTo(lookup) !== undefined && !isCurrent(made) && !isOutdated(made)
  }

  /** Whether no event has outdated what was made under a version. What is in memory under it is certain again from then on. */
  async function isOfNow (version: Promise<string | undefined>, lookup: Lookup): Promise<boolean> {
    const asked = versions.now
    const [made, inForce] = await Promise.all([version, remote!.versionOf(lookup.user!)])
    if (made === undefined || made !== inForce) return false
    const entry = memory.get(lookup.key)
    if (entry?.version === made && entry.begunAt < asked) memory.set(lookup.key, { ...entry, begunAt: asked })
    return true
  }

  /** Waits for the answer that is being made, if no event can have come since its making began; else for the next, with all who come. */
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
    // Only those who want to join have to know.
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
      // Once this flight has landed, what is in memory now is made anew.
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
      // Something whole is worth more than something that stands in, be it a little old.
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

function outcomeOf ({ from, stale, forwarded, collapsed }: Found): Outcome {
  if (collapsed === true) return 'collapsed'
  if (stale !== undefined) return `stale-${stale}`
  if (from !== 'origin') return `hit-${from}`
  return forwarded === 'bypass' ? 'bypass' : 'miss'
}

/** Whether a late answer, whose making began at a time, is better than what memory has. */
function isOlder (entry: Kept | undefined, began: number): boolean {
  return entry === undefined || lackOf(entry) !== undefined || entry.madeAt <= began
}

interface Circumstances {
  forwarded: NonNullable<Found['forwarded']>
  /** What may be served where nothing newer can be made. */
  spare?: Entry | undefined
  spareFrom?: 'memory' | 'redis'
  /** Of the user's events, as the shared tier has it. */
  version?: string | undefined
}
