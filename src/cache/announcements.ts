/**
 * Announcements of events over a channel that delivers all messages to all instances in one order.
 *
 * An instance relies on its memory only while it holds a lease. To renew the lease, the instance publishes a claim and waits until the
 * channel delivers that claim back. By then the channel has also delivered every message that was published before the claim. An
 * announcement therefore reaches an instance before any claim that was published after the announcement. When the duration of a lease has
 * passed since an announcement was published, no instance that missed the announcement still holds a lease. Confirmations only shorten
 * that wait.
 */
export interface Announcements {
  /** The channel on which this instance receives confirmations. */
  readonly confirmations: string
  /** Whether this instance holds a lease, which means that it receives all announcements of other instances. */
  readonly leased: boolean
  /** Whether this instance knows of no other instance that holds a lease. */
  readonly alone: boolean
  /** Records that this instance listens to the channels from now on. */
  opened: () => void
  /** Publishes a claim. @throws the error of `publish` */
  claim: () => Promise<void>
  /**
   * Announces an event of a user in a slot. Resolves when no other instance that missed the announcement holds a lease.
   * @param mark the count of writes in the shared tier before the announcement
   * @throws the error of `publish`
   */
  announce: (slot: number, mark: number) => Promise<void>
  /** Processes a message of either channel. */
  take: (channel: string, message: string) => void
}

export interface AnnouncementsOptions {
  instance: string
  /** The channel that every instance listens to. */
  channel: string
  /** Publishes a message. Resolves when the message has been passed on to the listeners. */
  publish: (channel: string, message: string) => Promise<unknown>
  /** The duration of a lease, in ms, counted from when its claim was published. */
  lease: number
  /** Receives the events that another instance announces. */
  onEvents: (slots: readonly number[], mark: number) => void
  /** Called before a new lease begins after a lapse: this instance may have missed announcements since the last lease ended. */
  onLapsed?: () => void
  /** Receives a message that is neither a claim nor an announcement. */
  onMessage?: (kind: string, text: string) => void
  /** Returns monotonic time, in ms. */
  now?: () => number
}

interface Announcement {
  /** The instances that hold a lease and have not confirmed; undefined until the channel has delivered the announcement back. */
  missing?: Set<string>
  readonly confirmed: Set<string>
  readonly resolve: () => void
}

export function createAnnouncements ({ instance, channel, publish, lease, onEvents, onLapsed = () => {}, onMessage = () => {}, now = () => performance.now() }: AnnouncementsOptions): Announcements {
  const channelOf = (other: string): string => `${channel}:${other}`
  /** For each other instance, the time until which it may hold a lease. */
  const leases = new Map<string, number>()
  const claims = new Map<string, number>()
  const recent = new Map<string, Announcement>()
  const toConfirm = new Map<string, string[]>()
  let next: { slots: Map<number, number>, announced: Promise<void> } | undefined
  let [heardAt, leasedAt, openedAt] = [-Infinity, -Infinity, -Infinity]
  let count = 0

  /** Publishes `idle` instead of a claim if this instance has not received its own messages lately: others would wait for it in vain. */
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
    // The channel delivers messages again, so that the next message can claim a lease.
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

  /** Handles an own announcement that the channel has delivered back: this instance now knows every instance that holds a lease. */
  function returned (id: string): void {
    const announcement = recent.get(id)
    if (announcement === undefined) return
    const time = now()
    // This instance does not know the leases that were claimed before it listened. They have ended when the wait ends.
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

  /** Sends all announcements of one turn of the event loop in one message. `confirm` batches confirmations in the same way. */
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
