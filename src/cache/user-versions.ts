/**
 * The degree to which this process knows the events that other instances accept:
 * - `leased`: it receives every announcement, so that its memory answers without asking the shared tier.
 * - `linked`: it may have missed announcements, but it can read the version of a user's events in the shared tier.
 * - `away`: it cannot reach the shared tier.
 */
export type LinkState = typeof linkStates[number]

/** The states of a link, the weakest first. */
export const linkStates = ['away', 'linked', 'leased'] as const

/** Announces to other processes, which keep answers of their own, that a user has sent events. */
export interface Announcer {
  readonly state: LinkState
  /** Resolves when no other process serves an answer that the user's events have outdated. */
  announce: (user: User, slot: number) => Promise<void>
}

export interface User {
  readonly namespace: string
  readonly userId: string
}

/**
 * A record of the users who have sent events since an answer was made for them. Time is a count of events here: an answer carries the
 * count at which its making began, and is outdated once an event of its user has a higher count.
 *
 * Users share slots by their hash, so that memory is bounded and no event is ever forgotten. An event of one user in a slot may outdate an
 * answer of another without need, but the cache never serves an outdated answer because of a shared slot.
 */
export interface UserVersions {
  slotOf: (user: User) => number
  /** The current count of events, for an answer whose making begins now. */
  readonly now: number
  /** The weakest state of the announcers; `leased` if there are none. */
  readonly state: LinkState
  /** Returns whether an answer whose making began at a count certainly misses no event of the users in a slot. */
  isCurrent: (slot: number, begunAt: number) => boolean
  /**
   * Returns whether this process knows of an event of the users in a slot that an answer misses. If not, the answer may still miss an event
   * that was not announced here.
   */
  isOutdated: (slot: number, begunAt: number) => boolean
  /** Records an event of a user in a slot that another instance accepted. */
  outdate: (slot: number) => void
  /** Records that this process may have missed announcements, so that answers whose making began before are no longer certain. */
  doubt: () => void
  /** Records an event that this process accepted. Resolves once no process serves an answer that misses it. */
  raise: (user: User) => Promise<void>
  /** Adds an announcer, which announces the events from now on. */
  tell: (announcer: Announcer) => void
}

/**
 * The number of slots, which take 8 MiB. If a million users each send an event while answers for them are kept, each event outdates about
 * one answer of another user.
 */
const slotCount = 2 ** 20

export function createUserVersions (): UserVersions {
  const slots = new Float64Array(slotCount)
  const announcers = new Set<Announcer>()
  let count = 0
  let floor = 0

  const isLeased = (): boolean => {
    for (const announcer of announcers) if (announcer.state !== 'leased') return false
    return true
  }
  const outdate = (slot: number): void => { slots[slot] = ++count }

  return {
    slotOf,
    get now () { return count },
    get state () {
      const states = [...announcers].map(({ state }) => state)
      return linkStates.find(state => states.includes(state)) ?? 'leased'
    },
    isCurrent: (slot, begunAt) => begunAt >= floor && slots[slot]! <= begunAt && isLeased(),
    isOutdated: (slot, begunAt) => slots[slot]! > begunAt,
    outdate,
    doubt () { floor = ++count },
    async raise (user) {
      const slot = slotOf(user)
      if (announcers.size > 0) await Promise.all([...announcers].map(async announcer => announcer.announce(user, slot)))
      // Comes after the announcements, since meanwhile this process may still have fetched something older from the shared tier.
      outdate(slot)
    },
    tell (announcer) {
      announcers.add(announcer)
    }
  }
}

/** Returns the slot of a user, the same on every instance. Uses the 32-bit mixing of MurmurHash3, one UTF-16 unit at a time. */
function slotOf ({ namespace, userId }: User): number {
  const h = mix(mix(0x9747b28c, namespace), userId)
  let spread = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  spread = Math.imul(spread ^ (spread >>> 13), 0xc2b2ae35)
  return ((spread ^ (spread >>> 16)) >>> 0) % slotCount
}

function mix (seed: number, text: string): number {
  let h = seed ^ text.length
  for (let i = 0; i < text.length; i++) {
    let k = Math.imul(text.charCodeAt(i), 0xcc9e2d51)
    k = Math.imul((k << 15) | (k >>> 17), 0x1b873593)
    h ^= k
    h = (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0
  }
  return h
}
