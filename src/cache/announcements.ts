/** Announcements over a channel that everybody listens to, each confirmed by everybody. */
export interface Announcements {
  /** The channel on which this instance gets confirmations. */
  readonly confirmations: string
  /**
   * Announces an event of somebody in a slot. Resolves when all who were listening have confirmed, or after the patience.
   * @throws what publishing says
   */
  announce: (slot: number) => Promise<void>
  /** Confirms an announcement to who made it. */
  confirm: (instance: string, id: string) => void
  /** Takes what came on the channel of confirmations. */
  confirmed: (message: string) => void
}

interface Announcement {
  /** How many have not confirmed yet, less than zero while it is not known how many were listening. */
  missing: number
  resolve: () => void
}

/**
 * What is announced in one turn of the event loop goes out in one message, and so do confirmations.
 * @param publish sends a message to a channel and says how many listened
 * @param patience how long to wait for confirmations, in ms: who has not confirmed by then relies on nothing it has heard before
 */
export function createAnnouncements (instance: string, channel: string, publish: (channel: string, message: string) => Promise<number>, patience: number): Announcements {
  const recent = new Map<string, Announcement>()
  const toConfirm = new Map<string, string[]>()
  const channelOf = (other: string): string => `${channel}:${other}`
  let next: { slots: Set<number>, announced: Promise<void> } | undefined
  // So many did not confirm in time: they are not waited for again, until they do.
  let deaf = 0
  let count = 0

  async function send (slots: Set<number>): Promise<void> {
    const id = String(++count)
    const confirmed = new Promise<void>(resolve => { recent.set(id, { missing: 0, resolve }) })
    const announcement = recent.get(id)!
    setTimeout(() => {
      recent.delete(id)
      deaf = Math.max(0, announcement.missing)
      announcement.resolve()
    }, patience).unref()
    const listeners = await publish(channel, [instance, id, ...slots].join(' '))
    // Some may have confirmed already.
    announcement.missing += listeners
    if (announcement.missing > deaf) await confirmed
  }

  function confirmed (message: string): void {
    for (const id of message.split(' ')) {
      const announcement = recent.get(id)
      if (announcement === undefined || --announcement.missing < 0) continue
      if (announcement.missing <= deaf) announcement.resolve()
      deaf = Math.min(deaf, announcement.missing)
    }
  }

  function confirm (other: string, id: string): void {
    if (other === instance) return confirmed(id)
    const ids = toConfirm.get(other)
    if (ids !== undefined) {
      ids.push(id)
      return
    }
    toConfirm.set(other, [id])
    setImmediate(() => {
      const message = toConfirm.get(other)!.join(' ')
      toConfirm.delete(other)
      publish(channelOf(other), message).catch(() => {})
    })
  }

  async function announce (slot: number): Promise<void> {
    if (next === undefined) {
      const slots = new Set<number>()
      const announced = new Promise(resolve => setImmediate(resolve)).then(async () => {
        next = undefined
        await send(slots)
      })
      next = { slots, announced }
    }
    next.slots.add(slot)
    return next.announced
  }

  return { confirmations: channelOf(instance), announce, confirm, confirmed }
}
