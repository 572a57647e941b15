/**
 * How sure this process is of what others accept:
 * - `leased`: it hears every announcement, so that its memory answers with no question;
 * - `linked`: it may have missed announcements, but the shared tier tells the version of a user's events;
 * - `away`: it can ask nobody.
 */
export type LinkState = typeof linkStates[number]

/** The weakest first. */
export const linkStates = ['away', 'linked', 'leased'] as const

/** Tells others, who keep answers of their own, that a user has sent events. */
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
 * Which users have sent events since an answer was made for them. Time is a count of events here: an answer carries the count at
 * which its making began, and is outdated once an event of its user has a higher one.
 *
 * Users share slots by their hash, so that memory is bounded and nothing is ever forgotten: two users in one slot cost an answer made
 * anew, and never one that is outdated.
 */
export interface UserVersions {
  slotOf: (user: User) => number
  /** The count now, for an answer whose making begins. */
  readonly now: number
  /** The weakest state of the announcers; `leased` if there are none. */
  readonly state: LinkState
  /** Whether an answer whose making began at a count certainly misses no event of the users in a slot. */
  isCurrent: (slot: number, begunAt: number) => boolean
  /** Whether an event of the users in a slot is known that an answer misses. If not, the answer may still miss an event that was not announced here. */
  isOutdated: (slot: number, begunAt: number) => boolean
  /** Notes an event of somebody in a slot that was accepted elsewhere. */
  outdate: (slot: number) => void
  /** Notes that announcements may have been missed: what began before is not certain any more. */
  doubt: () => void
  /** Notes an event that was accepted here. Resolves once no process serves an answer that misses it. */
  raise: (user: User) => Promise<void>
  /** Has another announcer told of events from now on. */
  tell: (announcer: Announcer) => void
}

/** 8 MiB. A million users with an event each while anything made for them is kept would outdate each other's once. */
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
      // Afterwards, since meanwhile something older may still have been fetched from others.
      outdate(slot)
    },
    tell (announcer) {
      announcers.add(announcer)
    }
  }
}

/** MurmurHash3's 32-bit mixing, a UTF-16 unit at a time: the same on every instance. */
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
