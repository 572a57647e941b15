import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { RedisLink } from '../cache/redis-link.ts'

/** Requests of one client in its current window. */
export interface Count {
  /** How many there were, with this one. */
  readonly current: number
  /** The time until the window ends, in ms. */
  readonly ttl: number
}

export interface Counters {
  /** Counts a request. @param window the length of a window, in ms */
  add: (key: string, window: number) => Count
  /** The number of clients with an open or recent window. */
  readonly size: number
}

/** The requests that an instance adds to a shared counter. */
export interface Added {
  key: string
  count: number
  window: number
}

/** Adds to the counters that instances share. @returns their values, in the same order @throws if they cannot be reached */
export type Exchange = (added: readonly Added[]) => Promise<Count[]>

export interface CountersOptions {
  /** Milliseconds on a clock that nobody sets. */
  now: () => number
  /** Absent: this process counts for itself. */
  exchange?: Exchange | undefined
  /** The most clients; the one that has been idle for longest goes first. */
  most?: number
}

interface Entry {
  readonly key: string
  window: number
  current: number
  /** The requests that the shared counter lacks. */
  unsent: number
  until: number
}

/** The most counters of one exchange. */
const mostExchanged = 500

/**
 * Creates counters of requests in windows of fixed length. A request never waits: it is judged by what this process knows. The process
 * tells the shared counters of its requests at once, in one exchange at a time, and learns of those of other processes with the answer.
 * While they are away it counts for itself.
 */
export function createCounters ({ now, exchange, most = 50_000 }: CountersOptions): Counters {
  const entries = new LRUCache<string, Entry>({ max: most })
  let changed = new Set<Entry>()
  let exchanging = false

  async function send (exchange: Exchange): Promise<void> {
    while (changed.size > 0) {
      const sent = [...changed].slice(0, mostExchanged)
      for (const entry of sent) changed.delete(entry)
      const added = sent.map(entry => ({ key: entry.key, count: entry.unsent, window: entry.window }))
      for (const entry of sent) entry.unsent = 0
      try {
        const counts = await exchange(added)
        for (const [i, { current, ttl }] of counts.entries()) learn(sent[i]!, added[i]!.count, current, ttl)
      } catch {
        // Nobody knows which of them arrived. To send them again could count them twice.
        changed = new Set()
        return
      }
    }
  }

  function learn (entry: Entry, added: number, current: number, ttl: number): void {
    // A shared window that has just begun outdates the count of the last one.
    const isNew = current <= added
    entry.current = isNew ? current + entry.unsent : Math.max(entry.current, current + entry.unsent)
    entry.until = now() + ttl
  }

  return {
    get size () { return entries.size },
    add (key, window) {
      const time = now()
      let entry = entries.get(key)
      if (entry === undefined) entries.set(key, entry = { key, window, current: 0, unsent: 0, until: time + window })
      if (entry.until <= time || entry.window !== window) {
        entry.current = 0
        entry.window = window
        entry.until = time + window
      }
      entry.current++
      if (exchange !== undefined) {
        entry.unsent++
        changed.add(entry)
        if (!exchanging) {
          exchanging = true
          // One turn of the event loop may count many requests.
          setImmediate(() => { void send(exchange).finally(() => { exchanging = false }) })
        }
      }
      return { current: entry.current, ttl: entry.until - time }
    }
  }
}

/** The longest wait for an exchange, in ms. No request waits for it. */
const patience = 250

/** Returns an exchange with counters in Redis. While the link's breaker is open, it fails without a command. */
export function redisExchange (link: RedisLink): Exchange {
  return async added => {
    if (!link.up) throw new Error('Redis does not answer')
    return link.run(async redis => Promise.all(added.map(async ({ key, count, window }) => {
      // The hash keeps the address or id of a client out of Redis.
      const name = `personalization:limit:${hash('sha1', `${key} ${window}`, 'base64url')}`
      const [, current, ttl] = await Promise.all([redis.set(name, 0, 'PX', window, 'NX'), redis.incrby(name, count), redis.pttl(name)])
      // The key expired between two of the commands. It would count for ever.
      if (ttl < 0) await redis.pexpire(name, window)
      return { current, ttl: ttl < 0 ? window : ttl }
    })), patience)
  }
}
