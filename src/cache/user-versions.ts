/** Tells others, who keep answers of their own, that a user has sent events. */
export interface Announcer {
  /** Whether everything that others have announced until now has arrived here. */
  readonly trusted: boolean
  /** Resolves when no other serves what is out of date with the user's events any more, or when nothing more can be done about it. */
  announce: (user: User, slot: number) => Promise<void>
}

export interface User {
  readonly namespace: string
  readonly userId: string
}

/**
 * Which users have sent events since an answer was made for them. Time is a count of events here: an answer carries the count at
 * which its making began, and is out of date once an event of its user has a higher one.
 *
 * Users share slots by their hash, so that memory is bounded and nothing is ever forgotten: two users in one slot cost an answer made
 * anew, and never one that is out of date.
 */
export interface UserVersions {
  slotOf: (user: User) => number
  /** The count now, for what begins to be made. */
  readonly now: number
  /** Whether what was begun at a count may still be served to the users of a slot. */
  isCurrent: (slot: number, madeAt: number) => boolean
  /** Whether what others announce arrives at all just now. */
  readonly trusted: boolean
  /** An event of somebody in this slot was accepted elsewhere. */
  outdate: (slot: number) => void
  /** Whoever it was, events may have been missed. */
  outdateAll: () => void
  /** An event of a user was accepted here. Resolves once everybody knows. */
  raise: (user: User) => Promise<void>
  /** From now on others are told, too. */
  tell: (announcer: Announcer) => void
}

/** 8 MiB. A million users with an event each while anything made for them is kept would outdate each other's once. */
const slotCount = 2 ** 20

export function createUserVersions (): UserVersions {
  const slots = new Float64Array(slotCount)
  const announcers = new Set<Announcer>()
  let count = 0
  let floor = 0

  const trusted = (): boolean => {
    for (const announcer of announcers) if (!announcer.trusted) return false
    return true
  }
  const outdate = (slot: number): void => { slots[slot] = ++count }

  return {
    slotOf,
    get now () { return count },
    isCurrent: (slot, madeAt) => madeAt >= floor && slots[slot]! <= madeAt && trusted(),
    get trusted () { return trusted() },
    outdate,
    outdateAll () { floor = ++count },
    async raise (user) {
      const slot = slotOf(user)
      if (announcers.size > 0) await Promise.all([...announcers].map(async announcer => announcer.announce(user, slot)))
      // Afterwards, since meanwhile something of before may still have been fetched from others.
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
