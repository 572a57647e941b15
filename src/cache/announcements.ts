/**
 * Announcements of events over a channel that carries all messages to all instances in one order.
 *
 * An instance relies on its memory only while it holds a lease. A claim renews it: a message that the instance publishes, and that has to
 * come back to it on the channel. When the claim is back, so is everything that was published before it. So an announcement reaches an
 * instance before any claim that was published after it, and when a lease has passed since an announcement was published, no instance
 * relies on not having heard it. Confirmations only shorten that wait.
 */
export interface Announcements {
  /** The channel on which this instance gets confirmations. */
  readonly confirmations: string
  /** Whether this instance hears everything that others announce. */
  readonly leased: boolean
  /** Whether no other instance is known to hold a lease. */
  readonly alone: boolean
  /** Notes that the channels are listened to from now on. */
  opened: () => void
  /** Publishes a claim. @throws what publishing says */
  claim: () => Promise<void>
  /**
   * Announces an event of somebody in a slot. Resolves when no other instance relies on not having heard it.
   * @param mark what the shared tier counts of the writes that come before it
   * @throws what publishing says
   */
  announce: (slot: number, mark: number) => Promise<void>
  /** Takes a message of either channel. */
  take: (channel: string, message: string) => void
}

export interface AnnouncementsOptions {
  instance: string
  /** The channel that every instance listens to. */
  channel: string
  /** Publishes a message. Resolves when it has been passed on to the listeners. */
  publish: (channel: string, message: string) => Promise<unknown>
  /** For how long a claim holds from when it was published, in ms. */
  lease: number
  /** Receives the events that another instance announces. */
  onEvents: (slots: readonly number[], mark: number) => void
  /** Called before a lease begins anew: announcements may have been missed since the last one ended. */
  onLapsed?: () => void
  /** Receives a message that is neither a claim nor an announcement. */
  onMessage?: (kind: string, text: string) => void
  /** Monotonic, in ms. */
  now?: () => number
}

interface Announcement {
  /** The instances that hold a lease and have not confirmed; undefined until the announcement itself has come back. */
  missing?: Set<string>
  readonly confirmed: Set<string>
  readonly resolve: () => void
}

export function createAnnouncements ({ instance, channel, publish, lease, onEvents, onLapsed = () => {}, onMessage = () => {}, now = () => performance.now() }: AnnouncementsOptions): Announcements {
  const channelOf = (other: string): string => `${channel}:${other}`
  /** Until when other instances may hold a lease. */
  const leases = new Map<string, number>()
  const claims = new Map<string, number>()
  const recent = new Map<string, Announcement>()
  const toConfirm = new Map<string, string[]>()
  let next: { slots: Map<number, number>, announced: Promise<void> } | undefined
  let [heardAt, leasedAt, openedAt] = [-Infinity, -Infinity, -Infinity]
  let count = 0

  /** An instance that has not heard itself lately claims nothing: others would wait for it in vain. */
  async function claim (): Promise<void> {
    const id = String(++count)
    const at = now()
    const isHeard = at - heardAt < lease
    for (const [old, sentAt] of claims) if (at - sentAt > lease || !isHeard) claims.delete(old)
    claims.set(id, at)
    await publish(channel, `${instance} ${isHeard ? 'lease' : 'idle'} ${id}`)
  }

  function claimed (from: string, kind: string, id: string): void {
    if (from !== instance) {
      if (kind === 'lease') leases.set(from, now() + lease)
      else drop(from)
      return
    }
    const sentAt = claims.get(id) ?? -Infinity
    heardAt = Math.max(heardAt, sentAt)
    if (kind === 'lease') {
      if (now() - leasedAt >= lease) onLapsed()
      leasedAt = Math.max(leasedAt, sentAt)
      return
    }
    // The first message that comes back: the next one can be a lease.
    if (now() - sentAt < lease) claim().catch(() => {})
  }

  function drop (other: string): void {
    leases.delete(other)
    for (const announcement of recent.values()) settle(announcement, other)
  }

  function settle (announcement: Announcement, other: string): void {
    announcement.confirmed.add(other)
    if (announcement.missing?.delete(other) === true && announcement.missing.size === 0) announcement.resolve()
  }

  /** The announcement is back: from here on, every instance that holds a lease is known. */
  function returned (id: string): void {
    const announcement = recent.get(id)
    if (announcement === undefined) return
    const time = now()
    // Leases that were claimed before this instance listened are not known to it: they are over when the wait is.
    if (time - openedAt < lease) return
    for (const [other, until] of leases) if (until <= time) leases.delete(other)
    announcement.missing = new Set([...leases.keys()].filter(other => !announcement.confirmed.has(other)))
    if (announcement.missing.size === 0) announcement.resolve()
  }

  async function send (slots: Map<number, number>): Promise<void> {
    const id = String(++count)
    const confirmed = new Promise<void>(resolve => { recent.set(id, { confirmed: new Set(), resolve }) })
    try {
      await publish(channel, `${instance} event ${id} ${Math.max(...slots.values())} ${[...slots.keys()].join(' ')}`)
      const timer = setTimeout(() => recent.get(id)?.resolve(), lease)
      await confirmed
      clearTimeout(timer)
    } finally {
      recent.delete(id)
    }
  }

  /** Everything that is announced in one turn of the event loop goes out in one message, and so do confirmations. */
  async function announce (slot: number, mark: number): Promise<void> {
    if (next === undefined) {
      const slots = new Map<number, number>()
      const announced = new Promise(resolve => setImmediate(resolve)).then(async () => {
        next = undefined
        await send(slots)
      })
      next = { slots, announced }
    }
    next.slots.set(slot, Math.max(mark, next.slots.get(slot) ?? 0))
    return next.announced
  }

  function confirm (other: string, id: string): void {
    const ids = toConfirm.get(other)
    if (ids !== undefined) {
      ids.push(id)
      return
    }
    toConfirm.set(other, [id])
    setImmediate(() => {
      const message = toConfirm.get(other)!.join(' ')
      toConfirm.delete(other)
      publish(channelOf(other), `${instance} ${message}`).catch(() => {})
    })
  }

  function take (on: string, message: string): void {
    const [from, kind, ...words] = message.split(' ') as [string, string, ...string[]]
    if (on !== channel) {
      for (const id of [kind, ...words]) {
        const announcement = recent.get(id)
        if (announcement !== undefined) settle(announcement, from)
      }
    } else if (kind === 'lease' || kind === 'idle') {
      claimed(from, kind, words[0]!)
    } else if (kind === 'event') {
      const [id, mark, ...slots] = words as [string, string, ...string[]]
      if (from === instance) return returned(id)
      onEvents(slots.map(Number), Number(mark))
      confirm(from, id)
    } else {
      onMessage(kind, words.join(' '))
    }
  }

  return {
    confirmations: channelOf(instance),
    get leased () { return now() - leasedAt < lease },
    get alone () { return ![...leases.values()].some(until => until > now()) },
    opened () { openedAt = now() },
    claim,
    announce,
    take
  }
}
